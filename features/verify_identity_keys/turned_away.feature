Feature: Verify Identity Keys: who is turned away
  A 401 keeps the gate closed for an unknown key, and for a known key that is not valid for entry.

  @VIK-2 @must
  Scenario: Unauthorized — Invalid or Unknown Key (401)
    Given a valid scan of an unknown key
    When it is sent
    Then it is refused with 401

  @VIK-X.9 @house
  Scenario: A known shopper who must be refused
    Given a scan of the declared refused key
    When it is sent
    Then it is refused as the house says

  @VIK-X.10 @house
  Scenario: An expired code
    Given a scan of the declared expired key
    When it is sent
    Then it is refused as the house says

  @VIK-X.11 @house
  Scenario: A code that was used before
    Given a scan of the declared used key
    When it is sent
    Then it is refused as the house says

  @VIK-4 @must @alone @rate
  Scenario: Rate Limiting (429)
    Given a scan that the connector understands
    When scans come at twice the declared rate for two seconds
    Then some scans are answered 429, and all others 200 or 401
