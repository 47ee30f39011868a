import Domain
import TestSupport
import Testing

@Suite("JSON objects")
struct JSONObjectTests {
    @Test("keep the order in which members were set")
    func order() {
        var object: JSONObject = ["b": 1, "a": 2]
        object["c"] = 3
        object["b"] = 4
        #expect(object.keys == ["b", "a", "c"])
        #expect(object.values == [4, 2, 3])
        #expect(object[1].key == "a")
        #expect(object.map(\.key) == ["b", "a", "c"])
    }

    @Test("lose a member that is set to nil")
    func removal() {
        var object: JSONObject = ["a": 1, "b": nil, "c": 3]
        #expect(object.removeValue(forKey: "a") == 1)
        #expect(object.removeValue(forKey: "a") == nil)
        object["c"] = Optional<JSONValue>.none
        #expect(object.keys == ["b"])
        #expect(object["b"] == .some(.null))
    }

    @Test("are equal in any order, and hash alike")
    func equality() {
        let left: JSONObject = ["a": 1, "b": ["x": [1, 2]]]
        let right: JSONObject = ["b": ["x": [1.0, 2]], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1, "b": ["x": [2, 1]]])
        #expect(left != ["a": 1])
        #expect(left != ["a": 1, "c": ["x": [1, 2]]])
    }

    @Test("answer like a plain list through any sequence of changes, at any size")
    func againstModel() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        for _ in 0..<RandomRun.count(20, long: 2_000) {
            var object = JSONObject()
            var model: [(String, Int)] = []
            for step in 0..<200 {
                let key = "key \(generator.number(0..<60))"
                let position = model.firstIndex { $0.0 == key }
                if generator.once(in: 4) {
                    object[key] = nil
                    if let position { model.remove(at: position) }
                } else {
                    object[key] = .number(JSONNumber(step))
                    if let position { model[position].1 = step } else { model.append((key, step)) }
                }
                let probe = "key \(generator.number(0..<60))"
                #expect(object[probe]?.intValue == model.first { $0.0 == probe }?.1, "seed \(RandomRun.seed)")
            }
            #expect(object.keys == model.map(\.0), "seed \(RandomRun.seed)")
            #expect(object.values.map(\.intValue) == model.map(\.1), "seed \(RandomRun.seed)")
        }
    }

    @Test("that share storage don't see each other's changes")
    func copies() {
        let original = JSONObject((0..<100).map { (key: "k\($0)", value: JSONValue.number(JSONNumber($0))) })
        var copy = original
        copy["k5"] = "changed"
        copy["new"] = true
        #expect(original["k5"] == 5)
        #expect(original["new"] == nil)
        #expect(copy["new"] == true)
        #expect(copy.count == 101)
    }
}

@Suite("JSON values")
struct JSONValueTests {
    @Test("answer only for what they are")
    func accessors() throws {
        let value: JSONValue = ["text": "a", "number": 1.5, "whole": 3, "flag": true, "list": [1, nil], "none": nil]
        #expect(value["text"]?.stringValue == "a")
        #expect(value["number"]?.doubleValue == 1.5)
        #expect(value["number"]?.intValue == nil)
        #expect(value["whole"]?.intValue == 3)
        #expect(value["flag"]?.boolValue == true)
        #expect(value["list"]?[1]?.isNull == true)
        #expect(value["list"]?[2] == nil)
        #expect(value["list"]?[-1] == nil)
        #expect(value["list"]?["a"] == nil)
        #expect(value["absent"] == nil)
        #expect(value["text"]?.boolValue == nil)
        #expect(value["text"]?.arrayValue == nil)
        #expect(value.objectValue?.count == 6)
        #expect(value.text == #"{"text":"a","number":1.5,"whole":3,"flag":true,"list":[1,null],"none":null}"#)
    }

    @Test("are told apart by kind, value and scalars")
    func equality() {
        #expect(JSONValue.null != false)
        #expect(JSONValue.bool(true) != 1)
        #expect(JSONValue.string("1") != 1)
        #expect(JSONValue.array([]) != [:])
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
        #expect(JSONValue.array([1, 2]) == [1.0, 2e0])
        #expect(Set<JSONValue>([1, 1.0, "a", "a", [1], [1], nil, nil]).count == 4)
    }
}
