Feature: Verify Identity Keys: badges
  A badge has a reader of its own, and it opens the gate again and again. The platform passes on the badge's key, and the
  retailer decides.

  @VIK-X.116 @house
  Scenario: A badge at each reader
    Given a scan of the declared badge
    When it comes through each badge reader
    Then each badge lets its owner in

  @VIK-X.117 @house
  Scenario: A badge opens again
    Given a scan of the declared badge
    When the same badge is shown three times
    Then each badge lets its owner in

  @VIK-X.118 @should
  Scenario: The event of a badge again
    Given a scan of the declared badge
    When it comes through each badge reader, and each event again
    Then each event of a badge gets its first decision again

  @VIK-X.119 @house
  Scenario: A revoked badge
    Given a scan of the declared revoked badge
    When it comes through each badge reader
    Then each badge is refused as the house says

  @VIK-X.120 @house
  Scenario: A lost badge
    Given a scan of the declared lost badge
    When it comes through each badge reader
    Then each badge is refused as the house says

  @VIK-X.121 @house
  Scenario: An expired badge
    Given a scan of the declared expired badge
    When it comes through each badge reader
    Then each badge is refused as the house says

  @VIK-X.122 @house
  Scenario: An associate's badge
    Given a scan of the declared associate badge
    When it comes through each badge reader
    Then each badge lets an associate in
