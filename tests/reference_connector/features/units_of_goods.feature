Feature: Units of goods
  A price is for one unit: a piece, or a lb, oz, kg or g. Figures are worked by hand from 1 lb = 453.59237 g = 16 oz.

  Background:
    Given the store sells
      | sku    | price | sold by |
      | TOWELS | 4.99  | unit    |
      | FIGS   | 2.00  | lb      |
      | NUTS   | 12.99 | kg      |
      | HAM    | 0.62  | oz      |
      | PEPPER | 0.05  | g       |
      | SALT   | 0.11  | lb      |

  # 2000 g / 453.59237 = 4.409245 lb, x 2.00 = 8.8185; 1 kg = 2.204623 lb, 4.4092; 24 oz = 1.5 lb; 453.59237 g = 1 lb.
  # 0.5 lb = 0.226796 kg, x 12.99 = 2.9461; 250 g = 0.25 kg, 3.2475; 3.5 oz = 0.0992233 kg, 1.2889.
  # 0.75 lb = 12 oz, x 0.62 = 7.44; 100 g / 28.349523125 = 3.527396 oz, 2.1870; 1 kg = 35.273962 oz, 21.8699.
  # 0.1 kg = 100 g, x 0.05 = 5.00; 1 oz = 28.349523 g, 1.4175; 0.1 lb = 45.359237 g, 2.2680.
  @PRICE-X.1
  Scenario Outline: A weight is converted to the unit of the price
    When the cart holds <quantity> <unit> of <sku>
    Then the total is <total>

    Examples:
      | sku    | quantity  | unit | total |
      | FIGS   | 2000      | g    | 8.82  |
      | FIGS   | 1.0       | kg   | 4.41  |
      | FIGS   | 24        | oz   | 3.00  |
      | FIGS   | 453.59237 | g    | 2.00  |
      | FIGS   | 1.5       | lb   | 3.00  |
      | NUTS   | 0.5       | lb   | 2.95  |
      | NUTS   | 250       | g    | 3.25  |
      | NUTS   | 3.5       | oz   | 1.29  |
      | HAM    | 0.75      | lb   | 7.44  |
      | HAM    | 100       | g    | 2.19  |
      | HAM    | 1         | kg   | 21.87 |
      | PEPPER | 0.1       | kg   | 5.00  |
      | PEPPER | 1         | oz   | 1.42  |
      | PEPPER | 0.1       | lb   | 2.27  |

  # 20.617835 g are exactly 1/22 lb: x 0.11 = 0.005, half a cent, goes up; a nanogram less would go down.
  @PRICE-X.1
  Scenario Outline: A conversion is exact until the amount is rounded
    When the cart holds <quantity> g of SALT
    Then the total is <total>

    Examples:
      | quantity  | total |
      | 20.617835 | 0.01  |
      | 20.617834 | 0.00  |

  # 10 g are 0.0441, so 0.04 alone; 20 g are 0.0882, so 0.09 and not 0.08.
  @PRICE-X.1
  Scenario: Weights of one product are added up, then rounded once
    When the cart holds 10 g of FIGS
    And the cart holds 10 g of FIGS
    Then the total is 0.09

  # 1 lb + 8 oz + 226.796185 g = 1 lb + 0.5 lb + 0.5 lb.
  @PRICE-X.1
  Scenario: The receipt shows the weight in the unit of the price
    When the cart holds 1 lb of FIGS
    And the cart holds 8 oz of FIGS
    And the cart holds 226.796185 g of FIGS
    Then the total is 4.00
    And the receipt shows 2.0 lb of FIGS

  # 2000 g cost 8.82; half of that is 4.41, and 1 lb of 4.409245 lb has 1.0002 of it.
  @PRICE-X.1
  Scenario: A limit of a promotion is in the unit of the price
    Given FIGS are 50 percent off, for at most 1 pieces
    When the cart holds 2000 g of FIGS
    Then the bill reads subtotal 8.82, promotions 1.00, tax 0.00, total 7.82

  @PRICE-X.1
  Scenario Outline: A unit has several spellings
    When the cart holds 2 <unit> of <sku>
    Then the total is <total>

    Examples:
      | sku    | unit        | total |
      | TOWELS | unit        | 9.98  |
      | TOWELS | each        | 9.98  |
      | TOWELS | EACH        | 9.98  |
      | TOWELS | ea          | 9.98  |
      | TOWELS | Pieces      | 9.98  |
      | FIGS   | LB          | 4.00  |
      | FIGS   | lbs         | 4.00  |
      | FIGS   | lb.         | 4.00  |
      | FIGS   | Pounds      | 4.00  |
      | FIGS   | LBR         | 4.00  |
      | HAM    | ounces      | 1.24  |
      | NUTS   | KGM         | 25.98 |
      | NUTS   | kilograms   | 25.98 |
      | NUTS   | kilogrammes | 25.98 |
      | PEPPER | Grams       | 0.10  |

  @PRICE-X.1
  Scenario Outline: Nothing of a product costs nothing
    When the cart holds 0.00 <unit> of <sku>
    Then the total is 0.00

    Examples:
      | sku    | unit |
      | TOWELS | unit |
      | FIGS   | kg   |

  # A guess, such as 2 'unit' read as 2 lb, would be a wrong charge.
  @PRICE-X.2
  Scenario Outline: A quantity that does not fit the goods makes a bad cart
    When the cart holds <quantity> <unit> of <sku>
    Then the total is 0.00
    And it is a bad cart because of <sku>: <code>, "<words>"

    Examples:
      | sku    | quantity | unit  | code                | words                                          |
      | FIGS   | 2        | unit  | unit_does_not_fit   | holds 2 'unit' of FIGS; its price is for one 'lb' |
      | FIGS   | 1.5      | each  | unit_does_not_fit   | set sold_by to unit                            |
      | FIGS   | 0        | unit  | unit_does_not_fit   | holds 0 'unit' of FIGS                         |
      | TOWELS | 0.75     | lb    | unit_does_not_fit   | set sold_by to one of lb, oz, kg, g            |
      | TOWELS | 2        | kg    | unit_does_not_fit   | its price is for one 'unit'                |
      | TOWELS | 2        | pack  | unknown_unit        | only unit, lb, oz, kg, g have a price          |
      | FIGS   | 2        | l     | unknown_unit        | holds 2 'l' of FIGS                            |
      | FIGS   | 2        | fl-oz | unknown_unit        | holds 2 'fl-oz' of FIGS                        |
      | TOWELS | 1.5      | unit  | fraction_of_a_piece | holds 1.5 'unit' of TOWELS                     |
      | TOWELS | 0.5      | each  | fraction_of_a_piece | sold by whole pieces                           |
      | TOWELS | -1       | unit  | negative_quantity   | holds -1 'unit' of TOWELS                      |
      | FIGS   | -0.5     | lb    | negative_quantity   | less than nothing                              |
      | GHOST  | 1        | unit  | unknown_item        | GHOST is not in the price list of this store   |

  @PRICE-X.2
  Scenario: One line without a price makes the whole cart a bad cart
    When the cart holds 1 unit of TOWELS
    And the cart holds 2000 g of TOWELS
    Then it is a bad cart because of TOWELS: unit_does_not_fit, "holds 2000 'g' of TOWELS"

  # 2000 g at 9.90 per kg.
  @PRICE-X.2
  Scenario: The cart has a price when the price list is right
    When the cart holds 2000 g of TOWELS
    And the price list sells TOWELS by the kg, at 9.90
    Then the total is 19.80
