Feature: Shopper Authorization: who may enter with a card
  The status is the contract; what the body says is recommended.

  @SA-7a.1 @must
  Scenario: Shopper Authorized — Low Risk
    Given a card tap of the declared shopper of low risk
    When it is sent
    Then the shopper should be authorised

  @SA-7a.2 @must
  Scenario: Shopper Denied — High Risk (CustomerFraud, BadDebt)
    Given a card tap of the declared shopper of high risk
    When it is sent
    Then the shopper should be refused

  @SA-7a.3 @must
  Scenario: Conditional Authorization — Reduced Pre-Auth (ADJUST)
    Given a card tap of the declared shopper of adjusted
    When it is sent
    Then the shopper should be authorised with an adjusted amount

  @SA-7a.4 @must
  Scenario: Invalid Card Detection
    Given a card tap of the declared shopper of invalid card
    When it is sent
    Then the shopper should be refused

  @SA-7a.5 @must
  Scenario: Expired Card Handling
    Given a card tap of the declared shopper of expired card
    When it is sent
    Then the shopper should be refused

  @SA-7a.6 @must
  Scenario: All ShopperRisk Enum Values
    Given a card tap that the connector understands
    When it is sent once for each risk that is known
    Then it is answered with 200

  @SA-7a.7 @must
  Scenario: All Authentication Event Types
    Given a card tap that the connector understands
    When it is sent
    Then it is answered with 200

  @SA-7a.8 @must
  Scenario: Override Amazon Recommendation — Accept
    Given a card tap of the declared shopper of low risk, advised against
    When it is sent
    Then it is answered with 200

  @SA-7a.9 @must
  Scenario: Override Amazon Recommendation — Deny
    Given a card tap of the declared shopper of high risk, recommended
    When it is sent
    Then the shopper should be refused

  @SA-7a.10 @must
  Scenario: Override Amazon Recommendation — Adjust Amount
    Given a card tap of the declared shopper of adjusted, recommended
    When it is sent
    Then the shopper should be authorised with an adjusted amount

  @SA-7a.11 @must
  Scenario: Outstanding Balance — Deny Entry
    Given a card tap of the declared shopper of outstanding balance
    When it is sent
    Then the shopper should be refused

  @PLAN-CCD-VAL-CONN-001 @must
  Scenario: Shopper Authorization Connector Reachable
    Given a valid card tap
    When it is sent
    Then it is answered with 200

  @SA-X.1 @house
  Scenario: A tap that comes again gets the same answer
    Given a card tap that the connector understands
    When it is sent twice as it is
    Then all answers are equal

  @SA-X.2 @should
  Scenario: Unknown members are ignored at every depth
    Given a card tap that the connector understands
    And every object in it has an unknown member
    When it is sent
    Then it is answered with 200

  @SA-X.3 @house
  Scenario: Taps are answered within the gate's time
    Given a card tap that the connector understands
    When it is sent
    Then each answer is complete within the gate's time

  @SA-X.4 @should
  Scenario: An answer says that it is JSON
    Given a card tap that the connector understands
    When it is sent
    Then the answer says that it is JSON
