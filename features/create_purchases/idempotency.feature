Feature: Create Purchases: one purchase for one trip
  The platform repeats a cart until the connector accepts it. idempotentShoppingTripId is the idempotency key; each attempt has a
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
  Scenario Outline: Attempts at the same moment
    Given a cart that the connector understands
    When <count> attempts of it arrive at the same moment
    Then all answers name one purchase

    Examples:
      | count |
      | 2     |
      | 10    |
      | 50    |

  @CP-X.3 @house
  Scenario: The same trip with another cart
    Given a cart that the connector understands
    When it is sent, and again with another cart
    Then the first cart counts or the change is refused, as the house says

  @CP-X.4 @house
  Scenario: Two trips with equal carts are two purchases
    Given a cart that the connector understands
    When it is sent, and another trip with an equal cart
    Then the answers name different purchases

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

  @CP-X.31 @must
  Scenario: A duplicate with its members in another order
    Given a cart that the connector understands
    When it is sent, and again with its members in another order
    Then all answers name one purchase

  @CP-X.32 @must @waits @long
  Scenario: A duplicate after sixty other trips
    Given a cart that the connector understands
    When it is sent, and once more after 60 others
    Then all answers name one purchase

  @CP-X.33 @must @waits @long
  Scenario: A duplicate three seconds later
    Given a cart that the connector understands
    When it is sent, and once more after 3 seconds
    Then all answers name one purchase

  @CP-X.34 @house @alone
  Scenario: A duplicate after a restart
    Given a cart that the connector understands
    When it is sent, and once more after a restart of the connector
    Then all answers name one purchase

  @CP-X.35 @house
  Scenario: Two hundred attempts at the same moment
    Given a cart that the connector understands
    When 200 attempts of it arrive at the same moment
    Then all answers name one purchase

  @CP-X.36 @house
  Scenario: Several trips at the same moment
    Given a cart that the connector understands
    When several trips arrive at the same moment, each of them twice
    Then each trip has one purchase of its own

  @CP-X.48 @house
  Scenario: Trips with similar ids
    Given a cart that the connector understands
    When it is sent once for each of several trip ids that look alike
    Then each makes a purchase
    And the answers name different purchases
