Feature: Connectivity: the portal's test of a connector
  The Merchant Portal calls each connector once with known test data.

  @PLAN-APP-VAL-CONN-001 @PLAN-APPCHK-VAL-VIK @PLAN-APP-IV-001 @must
  Scenario: Verify Identity Keys is reachable
    Given a scan of the declared shopper key
    When it is sent
    Then the visitor is let in

  @PLAN-APP-VAL-CONN-002 @PLAN-CHK-VAL-CONN-001 @must
  Scenario: The ordering connector is reachable
    Given a cart that the connector understands
    When it is sent
    Then the portal's probe succeeds
