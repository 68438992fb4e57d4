"""The demonstration behind `make certify`: a store day with the reference connector, then its certification."""

from jwo_toolkit.extras import require

require(
    "the reference connector with its simulated platform",
    "connector",
    "platform",
    instead="name your own connector with --connector URL or --profile FILE",
)
