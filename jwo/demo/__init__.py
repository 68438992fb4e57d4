"""The full demonstration behind `make certify`: a store day around the reference connector, then its certification."""
