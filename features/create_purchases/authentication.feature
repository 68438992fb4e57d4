Feature: Create Purchases: callers without the right credentials
  Where the profile declares how callers authenticate, a call without the right credentials has no effect.

  @CP-X.120 @should
  Scenario: No credentials
    Given a cart at a connector with authentication
    When it comes with no credentials, and its event or trip again with the right credentials
    Then nothing is booked, and the trip is still new

  @CP-X.121 @should
  Scenario: Wrong credentials
    Given a cart at a connector with authentication
    When it comes with other credentials, and its event or trip again with the right credentials
    Then nothing is booked, and the trip is still new

  @CP-X.122 @should
  Scenario: The signature of another body
    Given a cart at a connector with authentication
    When it comes with the signature of another body, and its event or trip again with the right credentials
    Then nothing is booked, and the trip is still new

  @CP-X.123 @should
  Scenario: An old signature
    Given a cart at a connector with authentication
    When it comes with the signature of another time, and its event or trip again with the right credentials
    Then nothing is booked, and the trip is still new

  @CP-X.124 @should
  Scenario: The signature for another region
    Given a cart at a connector with authentication
    When it comes with the signature of another scope, and its event or trip again with the right credentials
    Then nothing is booked, and the trip is still new

  @CP-X.125 @should
  Scenario: Duplicates without credentials
    Given a cart at a connector with authentication
    When it is accepted, and comes again with no and with other credentials
    Then no duplicate is answered
