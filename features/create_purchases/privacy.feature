Feature: Create Purchases: what an answer must not repeat
  Gateways log answers, so an answer must not hold a shopper's data.

  @CP-X.55 @house
  Scenario: The shopper's data is not repeated
    Given a cart that the connector understands
    When it is sent with all of the shopper's data, whole and without its items
    Then no answer repeats the shopper's data
