/// One run of a schema over a value. Recursion is bounded by the depth of the value and of the schema.
struct JSONSchemaValidation {
    private(set) var violations: [JSONSchemaViolation] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    private mutating func report(_ path: String, _ message: String) {
        if violations.count < limit { violations.append(JSONSchemaViolation(path: path, message: message)) }
    }

    mutating func check(_ value: JSONValue, against schema: JSONValue, path: String) {
        guard violations.count < limit else { return }
        guard case .object(let keywords) = schema else {
            if schema == false { report(path, "nothing is allowed here") }
            return
        }
        if let types = keywords["type"], !Self.has(value, types) {
            // With the wrong type, the other keywords would only say the same again.
            return report(path, "must be \(Self.typeText(types)), got \(Self.foundType(value))")
        }
        if let constant = keywords["const"], constant != value {
            report(path, "must be \(constant.text)")
        }
        if case .array(let allowed)? = keywords["enum"], !allowed.contains(value) {
            report(path, "must be one of \(Self.list(allowed.map(\.text)))")
        }
        switch value {
        case .number(let number): check(number, keywords, path)
        case .string(let string): check(string, keywords, path)
        case .array(let elements): check(elements, keywords, path)
        case .object(let members): check(members, keywords, path)
        case .null, .bool: break
        }
        if case .array(let schemas)? = keywords["anyOf"] { checkAny(value, of: schemas, path) }
        if case .array(let schemas)? = keywords["oneOf"] { checkOne(value, of: schemas, path) }
    }

    private mutating func check(_ number: JSONNumber, _ keywords: JSONObject, _ path: String) {
        if let minimum = keywords["minimum"]?.numberValue, number < minimum {
            report(path, "must be at least \(minimum)")
        }
        if let maximum = keywords["maximum"]?.numberValue, number > maximum {
            report(path, "must be at most \(maximum)")
        }
    }

    private mutating func check(_ string: String, _ keywords: JSONObject, _ path: String) {
        let minimum = keywords["minLength"]?.intValue
        let maximum = keywords["maxLength"]?.intValue
        guard minimum != nil || maximum != nil else { return }
        checkCount(string.unicodeScalars.count, minimum, maximum, "character", path)
    }

    private mutating func check(_ elements: [JSONValue], _ keywords: JSONObject, _ path: String) {
        let (minimum, maximum) = (keywords["minItems"]?.intValue, keywords["maxItems"]?.intValue)
        checkCount(elements.count, minimum, maximum, "item", path)
        guard let items = keywords["items"] else { return }
        for (index, element) in elements.enumerated() {
            check(element, against: items, path: "\(path)/\(index)")
        }
    }

    private mutating func checkCount(_ count: Int, _ minimum: Int?, _ maximum: Int?, _ noun: String, _ path: String) {
        if let minimum, count < minimum {
            report(path, "must have at least \(minimum) \(noun)\(minimum == 1 ? "" : "s"), has \(count)")
        }
        if let maximum, count > maximum {
            report(path, "must have at most \(maximum) \(noun)\(maximum == 1 ? "" : "s"), has \(count)")
        }
    }

    private mutating func check(_ members: JSONObject, _ keywords: JSONObject, _ path: String) {
        let properties = keywords["properties"]?.objectValue ?? [:]
        for case .string(let name) in keywords["required"]?.arrayValue ?? [] where members[name] == nil {
            report(path, "must have the member \"\(name)\"\(Self.purpose(properties[name]))")
        }
        let additional = keywords["additionalProperties"]
        for (key, value) in members {
            if let schema = properties[key] {
                check(value, against: schema, path: path + Self.step(key))
            } else if additional == false {
                report(path + Self.step(key), Self.unknownMember(key, properties.keys))
            } else if let additional {
                check(value, against: additional, path: path + Self.step(key))
            }
        }
    }
}

// Alternatives
extension JSONSchemaValidation {
    private func violations(of value: JSONValue, against schema: JSONValue, _ path: String) -> [JSONSchemaViolation] {
        var nested = JSONSchemaValidation(limit: limit)
        nested.check(value, against: schema, path: path)
        return nested.violations
    }

    private mutating func checkAny(_ value: JSONValue, of schemas: [JSONValue], _ path: String) {
        var failures: [[JSONSchemaViolation]] = []
        for schema in schemas {
            let found = violations(of: value, against: schema, path)
            if found.isEmpty { return }
            failures.append(found)
        }
        reportNone(value, of: schemas, failures, path)
    }

    private mutating func checkOne(_ value: JSONValue, of schemas: [JSONValue], _ path: String) {
        let failures = schemas.map { violations(of: value, against: $0, path) }
        let fits = failures.count { $0.isEmpty }
        if fits == 0 { return reportNone(value, of: schemas, failures, path) }
        if fits > 1 { report(path, "must fit exactly one of \(schemas.count) forms, fits \(fits)") }
    }

    /// The alternative of the value's own type is what the caller meant: when there is just one, its violations
    /// say most.
    private mutating func reportNone(
        _ value: JSONValue,
        of schemas: [JSONValue],
        _ failures: [[JSONSchemaViolation]],
        _ path: String
    ) {
        let meant = schemas.indices.filter { index in schemas[index]["type"].map { Self.has(value, $0) } ?? true }
        if meant.count == 1 {
            for violation in failures[meant[0]] { report(violation.path, violation.message) }
            return
        }
        let types = schemas.compactMap { $0["type"].map(Self.typeText) }
        if meant.isEmpty, types.count == schemas.count {
            return report(path, "must be \(types.joined(separator: " or ")), got \(Self.foundType(value))")
        }
        let reasons = failures.compactMap(\.first).map(\.description)
        report(path, "fits none of \(schemas.count) forms: \(reasons.joined(separator: "; or "))")
    }
}

// Words
extension JSONSchemaValidation {
    private static func has(_ value: JSONValue, _ types: JSONValue) -> Bool {
        switch types {
        case .string("integer"): value.numberValue?.isInteger ?? false
        case .string(let type): value.typeName == type
        case .array(let types): types.contains { has(value, $0) }
        default: true
        }
    }

    /// A schema's type or types, with articles.
    private static func typeText(_ types: JSONValue) -> String {
        switch types {
        case .string("null"): "null"
        case .string(let type): ("aeiou".contains(type.prefix(1)) ? "an " : "a ") + type
        case .array(let types): types.map(typeText).joined(separator: " or ")
        default: types.text
        }
    }

    private static func foundType(_ value: JSONValue) -> String { typeText(.string(value.typeName)) }

    private static func list(_ values: [String]) -> String {
        let shown = values.prefix(30).joined(separator: ", ")
        return values.count > 30 ? shown + " and \(values.count - 30) more" : shown
    }

    /// The first sentence of a member's description, so that who forgot it learns what it is.
    private static func purpose(_ schema: JSONValue?) -> String {
        guard let description = schema?["description"]?.stringValue else { return "" }
        return " (\(description.prefix { $0 != "." && $0 != "\n" }))"
    }

    private static func unknownMember(_ key: String, _ known: [String]) -> String {
        if known.isEmpty { return "unknown member; none is allowed here" }
        let quoted = list(known.map { JSONValue.string($0).text })
        if let nearest = nearest(key, known) {
            return "unknown member; did you mean \(JSONValue.string(nearest).text)? Allowed: \(quoted)"
        }
        return "unknown member; allowed: \(quoted)"
    }

    /// One step of a JSON pointer.
    private static func step(_ key: String) -> String {
        var step = "/"
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": step += "~0"
            case "/": step += "~1"
            default: step.unicodeScalars.append(scalar)
            }
        }
        return step
    }

    /// The known key that differs only in case and separators, or in at most a third of its letters.
    private static func nearest(_ key: String, _ known: [String]) -> String? {
        guard key.utf8.count <= 64 else { return nil }
        func letters(_ text: String) -> [UInt8] {
            Array(text.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") })
        }
        let wanted = letters(key)
        let scored = known.filter { $0.utf8.count <= 64 }.map { ($0, distance(wanted, letters($0))) }
        guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 * 3 <= max(wanted.count, 3) else { return nil }
        return best.0
    }

    /// Levenshtein's.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let substitution = diagonal + (byte == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substitution, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
