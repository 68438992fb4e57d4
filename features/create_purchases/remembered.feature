Feature: Create Purchases: no kind of cart is forgotten
  The platform repeats a cart of any kind, and any number of times.

  @CP-X.94 @must
  Scenario: Each kind of cart is remembered
    Given a cart that the connector understands
    When a cart of each kind is sent, and again with another requestId
    Then each repetition names the purchase of its cart

  @CP-X.95 @must
  Scenario: A cart is remembered after refusals
    Given a cart that the connector understands
    When it is sent again and again, also after refusals
    Then all answers name one purchase

  @CP-X.96 @house
  Scenario: An empty cart, and then the same trip with items
    Given a cart that the connector understands
    When it is sent empty, and again with items
    Then the trip stays empty or the change is refused, as the house says
