"""Files of postcodes in the layouts in which they can be downloaded, with the rows that a test needs."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

# The header of ONSPD until 2024, of ONSPD and NSPL since 2025, and of NSPL until 2024, each with its unused columns.
ONSPD = (
    "pcd,pcd2,pcds,dointr,doterm,oscty,ced,oslaua,osward,parish,usertype,oseast1m,osnrth1m,osgrdind,oshlthau,nhser,ctry,"
    "rgn,streg,pcon,eer,teclec,ttwa,pct,itl,statsward,oa01,casward,npark,lsoa01,msoa01,ur01ind,oac01,oa11,lsoa11,msoa11,"
    "wz11,sicbl,bua24,ru11ind,oac11,lat,long,lep1,lep2,pfa,imd,calncv,icb,oa21,lsoa21,msoa21"
).split(",")
ONS_2025 = (
    "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,north1m,gridind,oa21cd,cty25cd,ced25cd,lad25cd,wd25cd,nhser24cd,"
    "ctry25cd,rgn25cd,pcon24cd,ttwa15cd,itl25cd,npark16cd,lsoa21cd,msoa21cd,wz11cd,sicbl24cd,bua24cd,ruc21ind,oac11ind,"
    "lat,long,lep21cd1,lep21cd2,pfa23cd,imd20ind,icb23cd"
).split(",")
NSPL = (
    "pcd,pcd2,pcds,dointr,doterm,usertype,oseast1m,osnrth1m,osgrdind,oa21,cty,ced,laua,ward,nhser,ctry,rgn,pcon,ttwa,itl,"
    "park,lsoa21,msoa21,wz11,sicbl,bua22,ru11ind,oac11,lat,long,lep1,lep2,pfa,imd,icb"
).split(",")

#: What the rows of a test say, and under which of the names above it goes.
_COLUMNS = {
    "postcode": ("pcds",),
    "terminated": ("doterm",),
    "latitude": ("lat",),
    "longitude": ("long",),
    "country": ("ctry", "ctry25cd"),
    "region": ("rgn", "rgn25cd"),
    "district": ("oslaua", "laua", "lad25cd"),
    "ward": ("osward", "ward", "wd25cd"),
}

#: Names of codes, as they lie in the folder Documents of the zip.
NAME_TABLES = {
    "Documents/LA_UA names and codes UK as at 04_23.csv": "LAD23CD,LAD23NM,LAD23NMW\r\n"
    "E09000033,Westminster,\r\nS12000036,City of Edinburgh,\r\nW06000001,Isle of Anglesey,Ynys Môn\r\n",
    "Documents/Names and Codes/Ward names and codes UK as at 05_24.csv": "WD24CD,WD24NM\r\n"
    "E05013806,St James's\r\nS13002935,City Centre\r\n",
    "Documents/Region names and codes EN as at 12_20 (RGN).csv": "RGN20CD,RGN20CDO,RGN20NM\r\n"
    "E12000007,H,London\r\nS99999999,S,(pseudo) Scotland\r\n",
    "Documents/LSOA names and codes.csv": "LSOA21CD,LSOA21NM\r\nE01000001,City of London 001A\r\n",
    "Documents/Rural Urban.csv": "RU11IND,RU11NM\r\nA1,Urban\r\n",
}


def table(header: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    """A CSV of ONS: texts in quotation marks, numbers bare."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, restval="", quoting=csv.QUOTE_NONNUMERIC)
    text.write(",".join(header) + "\r\n")
    for row in rows:
        names = {name: next(column for column in _COLUMNS[name] if column in header) for name in row}
        writer.writerow({names[name]: value for name, value in row.items()})
    return text.getvalue().encode()


def zipped(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def code_point(rows: Iterable[Sequence[object]]) -> bytes:
    """One CSV of Code-Point Open, without a header: postcode, quality, easting, northing, country, three codes of
    health and county, district, ward."""
    return "".join(
        f'"{postcode}",{quality},{easting},{northing},"{country}","E19000001","E18000002","","{district}","{ward}"\n'
        for postcode, quality, easting, northing, country, district, ward in rows
    ).encode()


def codelist(names: dict[str, str]) -> bytes:
    """Doc/Codelist.xlsx: a sheet for each kind of area, the name in the first column and the code in the second."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet
    sheet.append(["Code-Point Open", "Codes"])
    sheet = workbook.create_sheet("DIS")
    for code, name in names.items():
        sheet.append([name, code])
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def plain(path: Path, places: Iterable[tuple[str, float, float]]) -> Path:
    """A CSV with postcode, latitude, longitude; packed when the name ends in .gz."""
    text = "postcode,latitude,longitude\n" + "".join(f"{name},{lat},{lon}\n" for name, lat, lon in places)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path
