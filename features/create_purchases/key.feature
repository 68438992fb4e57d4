Feature: Create Purchases: the trip id alone is the key
  Different trip ids are different purchases. The same trip id is one purchase, whatever else differs.

  @CP-X.91 @must
  Scenario: Trips with similar UUIDs
    Given a cart that the connector understands
    When it comes for each of several trips with similar UUIDs
    Then each of them is a purchase of its own

  @CP-X.92 @house
  Scenario: Trips with similar texts as ids
    Given a cart that the connector understands
    When it comes for each of several trips with similar texts
    Then each of them is a purchase of its own

  @CP-X.93 @house
  Scenario: A trip that is sent again with a change
    Given a cart that can change
    When it is sent, again with each change, and as it was
    Then no answer names another purchase, as the house says
