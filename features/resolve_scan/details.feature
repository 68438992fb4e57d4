Feature: Get Scan Details: what a loyalty scheme knows of a shopper
  Asked for shoppers whom Resolve Scan accepted.

  @GSD-X.1 @must
  Scenario: The details of an accepted shopper
    Given a loyalty scan of the declared accepted content
    When its shopper's details are asked for
    Then the details are complete

  @GSD-X.2 @must
  Scenario: A shopper whom nobody knows
    Given a question about a shopper whom nobody knows
    When it is sent
    Then it is refused with 404

  @GSD-X.3 @must
  Scenario: Details say that they are JSON
    Given a loyalty scan of the declared accepted content
    When its shopper's details are asked for
    Then the answer says that it is JSON
