Feature: Resolve Scan: the shopper that a code identifies
  A refusal is a 200 with REJECT. The names in the body are not published, so a wrong one is a warning.

  @RS-1.1 @must
  Scenario: Shopper Entry — ACCEPT via OPTICAL Scan
    Given a loyalty scan of the declared accepted content
    When it is sent
    Then the scan should be accepted

  @RS-X.1 @must
  Scenario: A refusal is a 200 with REJECT
    Given a loyalty scan of the declared rejected content
    When it is sent
    Then the scan should be rejected

  @RS-X.2 @should
  Scenario: Unknown members are ignored at every depth
    Given a loyalty scan that the connector understands
    And every object in it has an unknown member
    When it is sent
    Then it is answered with 200

  @RS-X.3 @house
  Scenario: A scan that comes again gets the same answer
    Given a loyalty scan of the declared accepted content
    When it is sent, and again with another requestId
    Then all answers are equal

  @RS-X.4 @house
  Scenario: Scans are answered within two seconds
    Given a valid loyalty scan
    When it is sent
    Then each answer is complete within the gate's time

  @RS-X.5 @should
  Scenario: An answer says that it is JSON
    Given a loyalty scan that the connector understands
    When it is sent
    Then the answer says that it is JSON
