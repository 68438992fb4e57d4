Feature: Verify Identity Keys: several people at once
  A store has several gates, and people come in groups.

  @VIK-X.27 @must
  Scenario: Shoppers and associates scan together
    Given a scan of the declared shopper key
    When shoppers and associates scan at the same moment
    Then each visitor is of the type of the key

  @VIK-X.28 @house @alone
  Scenario: Twenty people at the gates
    Given a scan that the connector understands
    When 20 people scan at the same moment
    Then each answer is complete within the gate's time
