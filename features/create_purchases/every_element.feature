Feature: Create Purchases: every element of a list
  Each cart has several authEvents, lines or identifiers, and one of them is broken.

  @CP-X.73 @must
  Scenario: One authEvent of several is broken
    Given a cart that the connector understands
    When it comes with each authEvent broken in turn
    Then each of them is refused with 400

  @CP-X.74 @must
  Scenario: One line of several is broken
    Given a cart that the connector understands
    When it comes with each line broken in turn
    Then each of them is refused with 400

  @CP-X.75 @must
  Scenario: One external identifier of several is broken
    Given a cart that the connector understands
    When it comes with each identifier broken in turn
    Then each of them is refused with 400

  @CP-X.76 @must
  Scenario: A lineItemId that is repeated anywhere
    Given a cart that the connector understands
    When it comes with each lineItemId that is repeated
    Then each of them is refused with 400

  @CP-X.77 @must
  Scenario: An empty cart with a broken rest
    Given a cart that the connector understands
    When it comes with each empty cart with a broken rest
    Then each of them is refused with 400
