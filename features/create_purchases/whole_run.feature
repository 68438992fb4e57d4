Feature: Create Purchases: the whole run
  These cases look at every cart of the run. They run last.

  @CP-X.101 @must
  Scenario: A cart between refused ones
    Given a cart that the connector understands
    When it is sent, then refused with a member missing, and then whole again
    Then all answers name one purchase

  @CP-X.104 @house @last
  Scenario: The first cart after the store was idle
    Given a cart that the connector understands
    When a cart comes after the idle time
    Then it is complete within the time of a cart

  @CP-X.105 @house @last
  Scenario: The first cart after a restart
    Given a cart that the connector understands
    When it is sent, and once more after a restart of the connector
    And the first answer after a restart is looked up
    Then it is complete within the time of a cart

  @CP-X.100 @must @last
  Scenario: Trips are still known at the end of the run
    Given a cart that the connector understands
    When trips of each kind are sent once more at the end of the run
    Then each is answered as it was the first time

  @CP-X.102 @must @last
  Scenario: Each trip of the run has a purchase of its own
    Given several trips, some of them in the other store
    Then no two trips of the run share a purchase

  @CP-X.103 @house @last
  Scenario: The first cart of the run
    Given a cart that the connector understands
    When the first cart of the run is looked up
    Then it is complete within the time of a cart

  @CP-X.107 @house @last
  Scenario: No answer to a cart shows the connector's inside
    Given a cart that the connector understands
    And the calls of the whole run with a cart
    When calls that often bring out a program's inside are sent
    Then no answer shows the inside of the connector

  @CP-X.106 @house @last
  Scenario: No refused cart is repeated in its answer
    Given a cart that the connector understands
    And the calls of the whole run with a cart
    Then no refusal repeats the key or the body

  @CP-X.108 @should @last
  Scenario: Every accepted cart is answered in JSON
    Given a cart that the connector understands
    And the calls of the whole run with a cart
    Then every success says that it is JSON

  @CP-X.112 @house @last
  Scenario: Every refusal of a cart that says that it is JSON is JSON
    Given a cart that the connector understands
    And the calls of the whole run with a cart
    Then every refusal that says that it is JSON is JSON

  @CP-X.109 @must @last
  Scenario: No valid cart of the run failed
    Given a cart that the connector understands
    And the calls of the whole run with a cart
    Then no valid cart failed or was refused

  @CP-X.110 @house @last
  Scenario: No cart of the run made the connector fail
    Given a cart that the connector understands
    And the calls of the whole run with a cart
    Then the connector never failed

  @CP-X.111 @house @last
  Scenario: No cart of the run was answered late
    Given a cart that the connector understands
    Then no cart of the whole run was late
