Feature: Verify Identity Keys: an authEvent that comes again
  The repetition has another person's key where the connector keeps the first decision under it. So a forgotten event
  also shows if each visitor always has one id.

  @VIK-X.71 @must
  Scenario: Repetitions between other calls
    Given a scan of the declared shopper key
    When its event comes again and again, between other calls
    Then every repetition gets the first decision

  @VIK-X.72 @must
  Scenario: Every kind of event is remembered
    Given a scan of the declared shopper key
    When each kind of event comes, and again
    Then each kind gets its first decision again

  @VIK-X.73 @house
  Scenario: A repetition with other members
    Given a scan of the declared shopper key
    When its event comes again with other members
    Then every repetition gets the first decision

  @VIK-X.74 @house
  Scenario: A refusal is kept when the shopper's key follows
    Given a scan of an unknown key
    When it is refused, and its event comes again with the shopper's key
    Then the refusal is repeated

  @VIK-X.75 @house
  Scenario: An invalid repetition
    Given a scan of the declared shopper key
    When its event comes again with errors
    Then it is refused with 400

  @VIK-X.76 @must
  Scenario: Event ids that are partly equal
    Given a scan of the declared shopper key
    When an unknown key comes under ids that are partly its own
    Then the unknown key is turned away each time
