Feature: Verify Identity Keys: the shopper waits at the gate
  The answer must be complete within two seconds, connecting included.

  @VIK-9 @must @alone
  Scenario: Performance
    Given a scan to be timed
    When at least 30 such scans are sent
    Then each answer is complete within the gate's time
