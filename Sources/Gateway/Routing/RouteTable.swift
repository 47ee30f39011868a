import Domain
import HTTPTypes
import Synchronization

/// All routes, and the way from a path to one of them.
public final class RouteTable: Sendable {
    /// In the order they are documented.
    public let routes: [Route]
    /// Of a route that changes what its address names: the one that reads it.
    let reading: [Int: Int]
    private let root: Node
    private let written = Mutex<[UInt8]?>(nil)

    init(_ routes: [Route]) {
        self.routes = routes
        var root = Node()
        for (position, route) in routes.enumerated() {
            root.insert(route.pattern.segments[...], method: route.method, position)
        }
        self.root = root
        var readers: [RoutePattern: Int] = [:]
        for (position, route) in routes.enumerated() where route.method == .get && route.permission != nil {
            readers[route.pattern] = position
        }
        var reading: [Int: Int] = [:]
        for (position, route) in routes.enumerated() where [.put, .patch, .delete].contains(route.method) {
            reading[position] = readers[route.pattern]
        }
        self.reading = reading
    }

    /// The API document of these routes, written when somebody asks for it.
    var document: [UInt8] {
        written.withLock { written in
            // Written anew, as what grew piece by piece holds up to twice the room.
            let document = written ?? Array(OpenAPIDocument.json(of: routes).encoded()[...])
            written = document
            return document
        }
    }

    /// What the public listener answers.
    public static let standard = RouteTable(
        Array(
            [
                AccountRoutes.all, SessionRoutes.all, ResourceTokenRoutes.all,
                ProfileRoutes.all, PersonalExportRoutes.all, SearchRoutes.all,
                BaseRoutes.all,
                HostedBaseRoutes.all, RecordRoutes.all,
                SchemaChangeRoutes.all(by: .platform), ViewRoutes.all(by: .platform),
                RecordWriteRoutes.all(by: .platform), HistoryRoutes.all,
                ExportRoutes.all, ImportRoutes.all, ChatRoutes.all,
                EmbeddingRoutes.all, APIKeyRoutes.all, UserRoutes.all, WorkspaceRoutes.all, TenantRoutes.all,
                OwnTenantRoutes.all, InviteRoutes.all, WorkspaceMemberRoutes.all,
                PermissionRoutes.all, PermissionGroupRoutes.all, PermissionQuestionRoutes.all,
                ToolRoutes.all, MCPRoutes.all, ResourceMetadataRoutes.all, OpenAIRoutes.all,
                AirtableRecordRoutes.all, RecordWriteRoutes.all(by: .airtable), AirtableCommentRoutes.all,
                AirtableMetaRoutes.all, SchemaChangeRoutes.all(by: .airtable), ViewRoutes.all(by: .airtable),
                UploadRoutes.all, AirtableWebhookRoutes.all, AttachmentRoutes.all, AuditRoutes.all,
                [OperationRoutes.document, OperationRoutes.health, OperationRoutes.ready], PageRoutes.all,
            ].joined()
        )
    )

    /// What the admin listener answers.
    static func admin(_ registry: PrometheusRegistry) -> RouteTable {
        RouteTable([OperationRoutes.metrics(registry), OperationRoutes.health, OperationRoutes.ready])
    }

    struct Match: Sendable {
        /// In `routes`.
        let position: Int
        let parameters: [PathParameter: Substring]
    }

    /// The route for `method` and `path` (without the query). HEAD finds the route for GET. Under `/v0` a path may end with
    /// a slash, as airtable.js has it where it writes.
    ///
    /// - Throws: `notFound`, or `methodNotAllowed` with what the path does allow.
    func match(_ method: HTTPRequest.Method, _ path: Substring) throws(GatewayError) -> Match {
        guard path.first == "/" else { throw GatewayError.notFound }
        let path = path.hasPrefix("/v0/") && path.utf8.last == UInt8(ascii: "/") ? path.dropLast() : path
        var node = root
        var values: [Substring] = []
        if path != "/" {
            for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
                if let next = node.literals[segment] {
                    node = next
                } else if !segment.isEmpty, let next = node.parameter?.first {
                    values.append(segment)
                    node = next
                } else {
                    throw GatewayError.notFound
                }
            }
        }
        guard !node.methods.isEmpty else { throw GatewayError.notFound }
        let wanted = method == .head ? .get : method
        guard let position = node.methods[wanted] else {
            let allowed = node.allowed
            throw GatewayError(
                .methodNotAllowed,
                "This address does not take \(allowed.contains(method.rawValue) ? "it" : "that method").",
                hint: "it takes \(allowed.joined(separator: ", "))",
                detail: method.rawValue,
                allowedMethods: allowed
            )
        }
        let names = routes[position].pattern.parameters
        return Match(
            position: position,
            parameters: Dictionary(zip(names, values), uniquingKeysWith: { first, _ in first })
        )
    }

    /// A place in the tree of path segments. Literals go before parameters, which have no names here: two routes
    /// may call the same place differently.
    private struct Node: Sendable {
        var literals: [Substring: Node] = [:]
        /// At most one; an array because a struct cannot hold itself.
        var parameter: [Node]?
        var methods: [HTTPRequest.Method: Int] = [:]

        /// With HEAD and OPTIONS, which the edge itself answers.
        var allowed: [String] {
            var names = Set(methods.keys.map(\.rawValue))
            if names.contains("GET") { names.insert("HEAD") }
            names.insert("OPTIONS")
            return names.sorted()
        }

        mutating func insert(_ segments: ArraySlice<RoutePattern.Segment>, method: HTTPRequest.Method, _ position: Int)
        {
            guard let first = segments.first else {
                precondition(methods[method] == nil, "two routes have the same method and path")
                methods[method] = position
                return
            }
            switch first {
            case .literal(let text):
                literals[Substring(text), default: Node()].insert(segments.dropFirst(), method: method, position)
            case .parameter:
                var next = self.parameter?.first ?? Node()
                next.insert(segments.dropFirst(), method: method, position)
                self.parameter = [next]
            }
        }
    }
}
