/// What Airtable leaves open, decided once. docs/formula.md has the whole table; what is a value rather than a rule
/// stands here, so that one edit changes it.
enum FormulaDecisions {
    /// `"" + 1`: an empty text is no number, while an empty cell is 0.
    static let emptyTextAsNumber = Double.nan
    /// A quotient this close to a whole number, relative to its size, is that number: `CEILING(0.3, 0.1)` is 0.3.
    static let quotientNoise = 1e-12
    /// Names that mean a call without its parentheses, unless in braces.
    static let bareCalls: Set<String> = ["TRUE", "FALSE", "BLANK", "NOW", "TODAY"]
    /// What stands between the items of an array where a text is wanted.
    static let itemSeparator = ", "
    /// SEARCH ignores case, FIND does not.
    static let searchIgnoresCase = true
    /// Decimal places beyond which rounding changes nothing, and before which everything is 0.
    static let placesMax = 400.0
    /// What people coming from spreadsheets write, and what it is called here.
    static let foreignFunctions: [String: String] = [
        "DATEDIF": "DATETIME_DIFF", "TEXT": "DATETIME_FORMAT or CONCATENATE", "ISBLANK": "{Field} = BLANK()",
        "IFERROR": "IF(ISERROR(x), y, x)", "IFS": "SWITCH or nested IF", "CHAR": "the character in quotes",
        "SPLIT": "REGEX_EXTRACT", "CONCAT": "CONCATENATE", "TEXTJOIN": "ARRAYJOIN", "LENGTH": "LEN",
        "ISNUMBER": "ISERROR", "DATE": "DATETIME_PARSE", "COUNTIF": "a rollup with a condition",
        "SUMIF": "a rollup with a condition", "PROPER": "UPPER and LOWER", "TRUNC": "ROUNDDOWN",
    ]
}
