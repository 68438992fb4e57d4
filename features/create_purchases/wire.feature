Feature: Create Purchases: how the bytes arrive
  A call may arrive slowly, in part, or malformed.

  @CP-X.38 @house @waits @long
  Scenario: A cart over a slow line
    Given a cart that the connector understands
    When its bytes come over 1.5 seconds
    Then a purchase is made

  @CP-X.39 @house
  Scenario: A cart that breaks off and comes again
    Given a cart that the connector understands
    When it breaks off halfway, and then comes whole
    Then a purchase is made

  @CP-X.40 @house
  Scenario: Carts on one connection without a pause
    Given a cart that the connector understands
    When two carts and an empty one come on one connection without a pause
    Then the answers that arrive are in the order of the carts

  @CP-X.41 @house
  Scenario: The path called with GET
    Given a cart that the connector understands
    When its path is called with GET instead
    Then it is not treated as a call

  @CP-X.42 @house
  Scenario: A cart as plain text
    Given a cart that the connector understands
    When it is sent as text/plain, and another as JSON
    Then nothing fails, and the next makes a purchase

  @CP-X.43 @house
  Scenario: A cart with a huge body
    Given a cart that the connector understands
    When it is sent with 3000000 characters too many, and another without
    Then nothing fails, and the next makes a purchase
