import Domain

/// One function of the language.
///
/// Arguments arrive evaluated and no error is among them (it has been passed on already) unless `takesErrors`. Lazy ones
/// (IF, SWITCH, ISERROR…) are the compiler's own.
struct FunctionDefinition: Sendable {
    let name: String
    /// Arguments at least and at most; nil is any number.
    let least: Int
    let most: Int?
    /// The type of the result from those of the arguments.
    let result: @Sendable ([FormulaType]) -> FormulaType
    let takesErrors: Bool
    let body: @Sendable ([FormulaValue], FormulaEnvironment) -> FormulaValue

    init(
        _ name: String,
        _ least: Int,
        _ most: Int?,
        gives result: @escaping @Sendable ([FormulaType]) -> FormulaType,
        takesErrors: Bool = false,
        _ body: @escaping @Sendable ([FormulaValue], FormulaEnvironment) -> FormulaValue
    ) {
        self.name = name
        self.least = least
        self.most = most
        self.result = result
        self.takesErrors = takesErrors
        self.body = body
    }

    init(
        _ name: String,
        _ least: Int,
        _ most: Int?,
        gives result: FormulaType,
        _ body: @escaping @Sendable ([FormulaValue], FormulaEnvironment) -> FormulaValue
    ) {
        self.init(name, least, most, gives: { _ in result }, body)
    }
}
