Feature: Verify Identity Keys: callers without the right credentials
  Where the profile declares how callers authenticate, a call without the right credentials has no effect.

  @VIK-X.110 @should
  Scenario: No credentials
    Given a shopper's scan at a connector with authentication
    When it comes with no credentials, and its event or trip again with the right credentials
    Then no gate opens, and the event is still undecided

  @VIK-X.111 @should
  Scenario: Wrong credentials
    Given a shopper's scan at a connector with authentication
    When it comes with other credentials, and its event or trip again with the right credentials
    Then no gate opens, and the event is still undecided

  @VIK-X.112 @should
  Scenario: The signature of another body
    Given a shopper's scan at a connector with authentication
    When it comes with the signature of another body, and its event or trip again with the right credentials
    Then no gate opens, and the event is still undecided

  @VIK-X.113 @should
  Scenario: An old signature
    Given a shopper's scan at a connector with authentication
    When it comes with the signature of another time, and its event or trip again with the right credentials
    Then no gate opens, and the event is still undecided

  @VIK-X.114 @should
  Scenario: The signature for another region
    Given a shopper's scan at a connector with authentication
    When it comes with the signature of another scope, and its event or trip again with the right credentials
    Then no gate opens, and the event is still undecided

  @VIK-X.115 @should
  Scenario: Duplicates without credentials
    Given a shopper's scan at a connector with authentication
    When it is accepted, and comes again with no and with other credentials
    Then no duplicate is answered
