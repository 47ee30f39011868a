import Domain
import Foundation

/// What is to be imported: a base, its tables, the file of each, and what is declared of their fields.
struct ImportPlan: Equatable {
    var baseName: String
    var tables: [TablePlan]
    /// A base document, which says all this itself.
    var isDocument = false

    struct TablePlan: Equatable {
        var name: String
        var file: String
        /// The primary field's column; the first one when nothing is said.
        var primary: String?
        /// Declared types by column; nil when types are to be inferred.
        var fields: [String: FieldPlan]?
        /// For an append: the table that is there already, whose fields the columns must be.
        var appendsTo: Table?
    }

    enum FieldPlan: Equatable {
        case type(FieldType)
        /// Links to records of that table, by their primary value.
        case link(table: String)
    }

    /// A file gives one table; a directory one a file, or what its `base.json` says.
    static func read(_ path: String) throws(ImportError) -> ImportPlan {
        let url = URL(fileURLWithPath: path)
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            throw .missing(path)
        }
        guard isDirectory.boolValue else {
            let name = url.deletingPathExtension().lastPathComponent
            if try DocumentSource.isOne(path) { return ImportPlan(baseName: name, tables: [], isDocument: true) }
            return ImportPlan(baseName: name, tables: [TablePlan(name: name, file: url.path)])
        }
        let declaration = url.appendingPathComponent("base.json").path
        if FileManager.default.fileExists(atPath: declaration) { return try read(declaration: declaration, in: url) }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
        let tables = names.filter(RowSources.canOpen).map { name in
            let file = url.appendingPathComponent(name)
            return TablePlan(name: file.deletingPathExtension().lastPathComponent, file: file.path)
        }
        guard !tables.isEmpty else {
            throw ImportError(.nothingToImport, "\(path) holds no .csv, .tsv, .json, .jsonl or .ndjson file")
        }
        return ImportPlan(baseName: url.standardizedFileURL.lastPathComponent, tables: tables)
    }

    // MARK: base.json

    private static func read(declaration path: String, in directory: URL) throws(ImportError) -> ImportPlan {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(path, reason: "no permission")
        }
        let json: JSONValue
        do { json = try JSONValue(parsing: [UInt8](data)) } catch { throw .malformedPlan(path, error.message) }
        guard let name = json["name"]?.stringValue?.trimmingSpace(), !name.isEmpty else {
            throw .malformedPlan(path, "expected \"name\", the base's name")
        }
        guard let entries = json["tables"]?.arrayValue, !entries.isEmpty else {
            throw .malformedPlan(path, "expected \"tables\", an array of at least one table")
        }
        var tables: [TablePlan] = []
        for (position, entry) in entries.enumerated() {
            tables.append(try table(entry, at: "\(path): tables[\(position)]", in: directory))
        }
        try check(tables, path: path)
        return ImportPlan(baseName: name, tables: tables)
    }

    private static func table(_ entry: JSONValue, at place: String, in directory: URL) throws(ImportError) -> TablePlan
    {
        guard case .object(let object) = entry else { throw .malformedPlan(place, "expected an object") }
        let known = ["name", "file", "primary", "fields"]
        for (key, _) in object where !known.contains(key) {
            throw .malformedPlan(place, "unknown member \"\(key)\"; expected \(known.joined(separator: ", "))")
        }
        guard let name = entry["name"]?.stringValue?.trimmingSpace(), !name.isEmpty else {
            throw .malformedPlan(place, "expected \"name\", the table's name")
        }
        guard let file = entry["file"]?.stringValue, !file.isEmpty else {
            throw .malformedPlan(place, "expected \"file\", a file beside base.json")
        }
        // A plan from elsewhere must not reach outside its own directory.
        guard !file.hasPrefix("/"), !file.split(separator: "/").contains("..") else {
            throw .malformedPlan(place, "\"file\" must stay inside the directory of base.json")
        }
        var primary: String?
        if let value = entry["primary"] {
            guard let text = value.stringValue else {
                throw .malformedPlan(place, "\"primary\" must be a column's name")
            }
            primary = text
        }
        var fields: [String: FieldPlan] = [:]
        if let value = entry["fields"] {
            guard case .object(let declared) = value else {
                throw .malformedPlan(place, "\"fields\" must be an object")
            }
            for (column, value) in declared { fields[column] = try field(value, at: "\(place).fields[\"\(column)\"]") }
        }
        let path = directory.appendingPathComponent(file).path
        return TablePlan(name: name, file: path, primary: primary, fields: fields)
    }

    private static func field(_ value: JSONValue, at place: String) throws(ImportError) -> FieldPlan {
        guard let text = value.stringValue ?? value["type"]?.stringValue else {
            throw .malformedPlan(place, "expected a field type, or an object with \"type\"")
        }
        guard let type = FieldType(rawValue: text) else {
            let names = FieldType.allCases.map(\.rawValue)
            let nearest = Spelling.nearest(to: text, among: names).map { "; did you mean \($0)?" } ?? ""
            throw .malformedPlan(place, "unknown field type \"\(text)\"\(nearest)")
        }
        guard type.isImportable else {
            let why = type.isComputed ? "is computed and" : "is no text and"
            throw .malformedPlan(place, "\(text) \(why) can't be imported")
        }
        guard type == .multipleRecordLinks else { return .type(type) }
        guard let table = value["table"]?.stringValue else {
            throw .malformedPlan(place, "a link needs \"table\", the table it leads to")
        }
        return .link(table: table)
    }

    private static func check(_ tables: [TablePlan], path: String) throws(ImportError) {
        var names: Set<String> = []
        for table in tables where !names.insert(table.name.lowercased()).inserted {
            throw .malformedPlan(path, "two tables are named \"\(table.name)\"")
        }
        for table in tables {
            for (column, field) in table.fields ?? [:] {
                guard case .link(let target) = field else { continue }
                guard names.contains(target.lowercased()) else {
                    throw .malformedPlan(
                        path,
                        "\"\(table.name)\".\"\(column)\" links to \"\(target)\", which is no table here"
                    )
                }
            }
        }
    }
}
