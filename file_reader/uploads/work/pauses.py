"""How long workers wait. Apart from the workers, so that who only tells of it need not import what they work with."""

#: How often an idle worker looks for work by itself, in seconds: what rests falls due, and leases run out.
POLL_SECONDS = 0.25
#: The same while no upload is open and its bell works.
IDLE_POLL_SECONDS = 2.0
#: How long postcode_consumer is left alone after outages, in seconds: 1, 2, 4, … up to this. Work resumes within it.
MAX_OUTAGE_PAUSE = 15.0
