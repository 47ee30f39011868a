import CLibpq

/// The arguments of a statement in the form libpq sends them.
///
/// Numbers and text go as text, whose form doesn't depend on the parameter's exact type; bytes go as they are.
struct PostgresArguments {
    /// All values behind one another, text with a closing NUL.
    private var bytes: [UInt8] = []
    /// Where each value starts in `bytes`; nil for null.
    private var starts: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ arguments: [SQLValue]) throws(DatabaseError) {
        starts.reserveCapacity(arguments.count)
        for (offset, argument) in arguments.enumerated() {
            try argument.validate(position: offset + 1)
            switch argument {
            case .null: add(nil, length: 0, isBinary: false)
            case .integer(let value): addText(String(value))
            case .real(let value): addText(value.description)
            case .text(let value): addText(value)
            case .bytes(let value):
                guard let length = Int32(exactly: value.count) else {
                    throw .invalidArgument("argument $\(offset + 1) is larger than PostgreSQL takes")
                }
                add(bytes.count, length: length, isBinary: true)
                bytes.append(contentsOf: value)
                // An empty value needs an address all the same: nil means NULL.
                bytes.append(0)
            }
        }
    }

    var count: Int { starts.count }

    /// Lends the arrays that libpq reads during the call.
    func withPointers<T>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) throws -> T
    ) rethrows -> T {
        try bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = starts.map { start in start.flatMap { base?.advanced(by: $0) } }
            return try values.withUnsafeBufferPointer { values in
                try lengths.withUnsafeBufferPointer { lengths in
                    try formats.withUnsafeBufferPointer { formats in
                        try body(values.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }

    private mutating func addText(_ text: String) {
        add(bytes.count, length: 0, isBinary: false)
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }

    private mutating func add(_ start: Int?, length: Int32, isBinary: Bool) {
        starts.append(start)
        lengths.append(length)
        formats.append(isBinary ? 1 : 0)
    }
}

/// PostgreSQL's type numbers (pg_type.dat), as far as we send or read them.
enum PostgresType {
    static let bool: Oid = 16
    static let bytes: Oid = 17
    static let name: Oid = 19
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let text: Oid = 25
    static let oid: Oid = 26
    static let json: Oid = 114
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let bpchar: Oid = 1042
    static let varchar: Oid = 1043
    static let numeric: Oid = 1700

    /// The type we declare for an argument. Text and null are left to the server: it infers json, arrays and so on.
    static func declared(_ value: SQLValue) -> Oid {
        switch value {
        case .null, .text: 0
        case .integer: int8
        case .real: float8
        case .bytes: bytes
        }
    }

    /// Whether an argument may be given to a parameter of a statement prepared before.
    ///
    /// - Parameters:
    ///   - declared: what was declared then; 0 when the server inferred it.
    ///   - actual: the parameter's type.
    static func accepts(_ value: SQLValue, declared: Oid, actual: Oid) -> Bool {
        switch value {
        case .null: true
        case .integer: actual == int8 || actual == float8 || actual == numeric
        case .real: actual == float8 || actual == numeric
        case .text: declared == 0
        case .bytes: actual == bytes
        }
    }

    /// Types read in binary form; a result with any other column comes as text.
    static func isReadAsBinary(_ type: Oid) -> Bool {
        switch type {
        case bool, bytes, name, int8, int2, int4, text, oid, json, float4, float8, bpchar, varchar: true
        default: false
        }
    }
}
