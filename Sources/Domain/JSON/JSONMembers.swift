/// Keys and values in the order they were added, with O(1) look-up above a few: the storage of `JSONObject` and
/// of objects being encoded. Keys are compared by Unicode scalars.
struct JSONMembers<Value> {
    private(set) var list: [(key: String, value: Value)]
    /// Only above the threshold.
    private var table: JSONKeyTable?

    init() { list = [] }

    /// Takes members whose keys are known to differ.
    init(distinct list: [(key: String, value: Value)]) {
        self.list = list
        indexIfMany()
    }

    /// Setting nil removes the member, which is O(count).
    subscript(key: String) -> Value? {
        get { position(of: key).map { list[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): list[position].value = value
            case (let position?, nil): remove(at: position)
            case (nil, let value?): append(key, value)
            case (nil, nil): break
            }
        }
    }

    /// Sorts by the keys' UTF-8 bytes.
    mutating func sortByKey() {
        list.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        indexIfMany()
    }

    private func position(of key: String) -> Int? {
        if let table {
            return table.find(JSONKeyTable.hash(key)) { list[$0].key.hasSameScalars(as: key) }
        }
        return list.firstIndex { $0.key.hasSameScalars(as: key) }
    }

    private mutating func append(_ key: String, _ value: Value) {
        list.append((key, value))
        // Not bound by `if let`: a second reference would have the insertion copy the table.
        let hasRoom = table.map { list.count <= $0.capacity } ?? false
        if hasRoom {
            table?.insert(list.count - 1, JSONKeyTable.hash(key))
        } else {
            indexIfMany()
        }
    }

    private mutating func remove(at position: Int) {
        list.remove(at: position)
        indexIfMany()
    }

    private mutating func indexIfMany() {
        guard list.count > JSONKeyTable.threshold else {
            table = nil
            return
        }
        var table = JSONKeyTable(for: list.count)
        for position in list.indices { table.insert(position, JSONKeyTable.hash(list[position].key)) }
        self.table = table
    }
}

extension JSONMembers: Sendable where Value: Sendable {}
