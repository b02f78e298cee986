"""A location in degrees, or the reason why there is none. The codes of reasons are a closed list."""

REASONS = {
    "coordinates_missing": "The latitude or the longitude is empty.",
    "not_a_number": "The latitude or the longitude is not a number such as -0.1419, nor an angle such as 51°30'3.6\"N.",
    "minutes_out_of_range": "The minutes or the seconds of an angle are 60 or more.",
    "letter_unclear": "The letter O may be Ost, which is east, or Ouest or Oeste, which are west; an e may be of an"
    " exponent: write E or W.",
    "letter_of_other_axis": "The latitude has the letter E or W, or the longitude has N or S.",
    "sign_and_letter": "A sign and the letter of a side say it twice, and may mean two things: write one of them.",
    "sign_unclear": "The number stands in brackets, which may stand for a minus: write the minus, or no brackets.",
    "not_coordinates": "The cell does not hold a latitude and a longitude in the way that most of its column does.",
    "latitude_out_of_range": "The latitude is not between -90 and 90 degrees.",
    "longitude_out_of_range": "The longitude is not between -180 and 180 degrees.",
    "coordinates_swapped": "Latitude and longitude seem to be swapped: the other way round it would be in the UK.",
    "side_unclear": "A column or a letter says another side of Greenwich than the longitude's sign, or the letter is"
    " missing.",
    "places_apart": "The row has its location once more, in other columns, and at a place more than 1 km away.",
    "precision_lost": "The easting or the northing was written with an exponent, or with three figures where others"
    " have five, and its last digits are lost.",
    "irish_grid": "The row is in Ireland, whose eastings and northings are of another grid: the Irish one.",
    "outside_national_grid": "The easting and the northing are not on land of the British National Grid, or near it.",
    "outside_grid": "The easting and the northing are not of the grid that the file is in.",
    "not_a_reference": "The cell is no grid reference such as TQ 29090 79645 or J 338 743, and no geohash, whichever"
    " the file has.",
    "square_too_large": "The square of the reference is larger than 1,000 m, and than those of the first rows.",
    "unknown_srid": "The point has an SRID that is not converted.",
    "too_few_fields": "The row has fewer fields than the file's first record.",
    "too_many_fields": "The row has more fields than the file's first record.",
    "empty_row": "Nothing stands between the delimiters of the row.",
    "comment": "The line begins with #, as a comment does, and has no coordinates.",
    "sums_up": "The row says that it is the mean of others: it is no place of its own.",
    "nul_byte": "The row contains a NUL byte.",
}
#: Where British locations lie, in degrees: the two ranges do not overlap, so values tell latitude from longitude.
UK_LATITUDE = (49.0, 61.5)
UK_LONGITUDE = (-9.5, 2.6)
#: Latitude and longitude in degrees, or the code of the reason why not.
Located = tuple[float, float] | str


class RefusedError(Exception):
    """A text is not read, for a reason of REASONS. It does not leave this package."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_in_uk(latitude: float, longitude: float) -> bool:
    """Whether it is where British locations lie; some of that is sea, and some is abroad."""
    return UK_LATITUDE[0] <= latitude <= UK_LATITUDE[1] and UK_LONGITUDE[0] <= longitude <= UK_LONGITUDE[1]


def checked(latitude: float, longitude: float) -> Located:
    """The same, if it is a place on Earth, and not one in the UK that was turned round."""
    if not -90 <= latitude <= 90:
        return "latitude_out_of_range"
    if not -180 <= longitude <= 180:
        return "longitude_out_of_range"
    if is_in_uk(longitude, latitude):
        return "coordinates_swapped"
    return latitude, longitude
