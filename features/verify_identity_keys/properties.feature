Feature: Verify Identity Keys: random requests
  The suite draws requests from the schema, and shrinks a failing one to the smallest that fails.

  @VIK-X.35 @house @waits
  Scenario: Any valid scan
    Given a scan that the connector understands
    When valid ones like it are drawn
    Then none is found that the connector gets wrong

  @VIK-X.36 @house @waits
  Scenario: Any scan that breaks one rule
    Given a scan that the connector understands
    When ones that break a single rule are drawn
    Then none is found that the connector gets wrong
