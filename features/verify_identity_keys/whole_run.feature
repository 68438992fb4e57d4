Feature: Verify Identity Keys: the whole run
  These cases look at every scan of the run. They run last.

  @VIK-X.92 @must
  Scenario: A scan between refused ones
    Given a scan that the connector understands
    When it is sent, then refused with a member missing, and then whole again
    Then all answers are the same gate decision

  @VIK-X.83 @must @last
  Scenario: The first scan after the store was idle
    Given a scan that the connector understands
    When a scan comes after the idle time
    Then it is complete within the time of a scan

  @VIK-X.84 @should @last
  Scenario: The first scan after a restart
    Given a scan that the connector understands
    When it is sent, and once more after a restart of the connector
    And the first answer after a restart is looked up
    Then it is complete within the time of a scan

  @VIK-X.80 @must @last
  Scenario: Decisions are still known at the end of the run
    Given a scan that the connector understands
    When events of each kind are sent once more at the end of the run
    Then each is answered as it was the first time

  @VIK-X.81 @house @last
  Scenario: Decisions are still known when another person's key comes
    Given a scan of the declared shopper key
    When events are sent once more at the end of the run with the key of another person
    Then each is answered as it was the first time

  @VIK-X.82 @must @last
  Scenario: The first scan of the run
    Given a scan that the connector understands
    When the first scan of the run is looked up
    Then it is complete within the time of a scan

  @VIK-X.87 @house @last
  Scenario: No answer to a scan shows the connector's inside
    Given a scan that the connector understands
    And the calls of the whole run with a scan
    When calls that often bring out a program's inside are sent
    Then no answer shows the inside of the connector

  @VIK-X.86 @house @last
  Scenario: No refused scan is repeated in its answer
    Given a scan that the connector understands
    And the calls of the whole run with a scan
    Then no refusal repeats the key or the body

  @VIK-X.88 @should @last
  Scenario: Every accepted scan is answered in JSON
    Given a scan that the connector understands
    And the calls of the whole run with a scan
    Then every success says that it is JSON

  @VIK-X.93 @house @last
  Scenario: Every refusal of a scan that says that it is JSON is JSON
    Given a scan that the connector understands
    And the calls of the whole run with a scan
    Then every refusal that says that it is JSON is JSON

  @VIK-X.89 @must @last
  Scenario: No unknown key of the run opened the gate
    Given a scan of an unknown key
    And the calls of the whole run with a scan
    Then no unknown key opened the gate

  @VIK-X.90 @must @last
  Scenario: No valid scan of the run failed
    Given a scan that the connector understands
    And the calls of the whole run with a scan
    Then no valid scan failed or was refused

  @VIK-X.91 @house @last
  Scenario: No scan of the run made the connector fail
    Given a scan that the connector understands
    And the calls of the whole run with a scan
    Then the connector never failed

  @VIK-X.85 @must @last
  Scenario: No scan of the run was answered late
    Given a scan that the connector understands
    Then no scan of the whole run was late
