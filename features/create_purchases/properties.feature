Feature: Create Purchases: random requests and stories
  The suite draws requests and stories at random, and shrinks a failing one to the smallest that fails.

  @CP-X.44 @house @waits @long
  Scenario: Any valid cart
    Given a cart that the connector understands
    When valid ones like it are drawn
    Then none is found that the connector gets wrong

  @CP-X.45 @house @waits @long
  Scenario: Any cart that breaks one rule
    Given a cart that the connector understands
    When ones that break a single rule are drawn
    Then none is found that the connector gets wrong

  @CP-X.46 @house @waits @long
  Scenario: Any story of visits
    Given a cart that the connector understands
    When stories of visits are played to it and to a model
    Then none is found that the connector gets wrong

  @CP-X.47 @house @alone
  Scenario: Any story with a restart
    Given a cart that the connector understands
    When stories with a restart are played to it and to a model
    Then none is found that the connector gets wrong
