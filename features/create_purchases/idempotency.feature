Feature: Create Purchases: one purchase for one trip
  The platform repeats a cart until it is taken. idempotentShoppingTripId is the idempotency key; each attempt has a
  requestId of its own.

  @CP-2 @must
  Scenario: Idempotency
    Given a cart that the connector understands
    When it is sent, and again with another requestId
    Then all answers name one purchase

  @CP-X.1 @must
  Scenario: The same request twice
    Given a cart that the connector understands
    When it is sent twice as it is
    Then all answers name one purchase

  @CP-X.2 @must
  Scenario: Ten attempts at the same moment
    Given a cart that the connector understands
    When 10 attempts of it arrive at the same moment
    Then all answers name one purchase

  @CP-X.3 @house
  Scenario: The same trip with another cart
    Given a cart that the connector understands
    When it is sent, and again with another cart
    Then the first cart stands, or the change is refused where the house says so

  @CP-X.4 @house
  Scenario: Two trips with equal carts are two purchases
    Given a cart that the connector understands
    When it is sent, and another trip with an equal cart
    Then the two answers name different purchases

  @CP-X.5 @house
  Scenario: A duplicate is answered 201 as well
    Given a cart that the connector understands
    When it is sent, and again with another requestId
    Then a duplicate is answered as the house says

  @CP-X.13 @house
  Scenario: A cart refused as invalid is not remembered
    Given a cart that the connector understands
    When it is sent without "cartItems", and then corrected
    Then a purchase is made
