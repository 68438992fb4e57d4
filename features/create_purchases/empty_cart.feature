Feature: Create Purchases: a cart with nothing in it
  The shopper left with nothing: there is no purchase, and the purchaseId is empty.

  @CP-1.7 @must
  Scenario: Empty Cart
    Given an empty cart
    When it is sent
    Then the purchase id is empty

  @CP-X.12 @house
  Scenario: An empty cart is remembered like any other
    Given an empty cart
    When it is sent, and again with another requestId
    Then the purchase id is empty
