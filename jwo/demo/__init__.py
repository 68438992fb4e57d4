"""The demonstration behind `make certify`: a store day with the reference connector, then its certification."""
