import Domain
import HTTPTypes
import ServiceLifecycle

/// What operators and programs ask of the server itself. Open to everybody, and telling nobody anything.
enum OperationRoutes {
    /// How long one readiness check may take.
    private static let patience = Duration.seconds(2)

    static let health = Route(
        .get,
        "/health",
        name: "health",
        summary: "Whether the process answers. Asks nothing else.",
        reply: .json(HealthWire.self, "It does."),
        handler: .open { _ in try .json(HealthWire(status: "ok")) }
    )

    static let ready = Route(
        .get,
        "/ready",
        name: "ready",
        summary: "Whether to send requests here: 503 while starting, draining, or without database or index.",
        reply: .json(ReadinessWire.self, "Yes with 200, no with 503.", otherStatuses: [.serviceUnavailable]),
        handler: .open { call in
            let checks = await withTaskGroup(of: (String, Bool).self) { group in
                for check in call.services.readiness {
                    group.addTask {
                        // An answer that does not come is a no.
                        let isReady = try? await RequestDeadline.run(until: .now + patience) { await check.isReady() }
                        return (check.name, isReady ?? false)
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            let readiness = ReadinessWire(checks: checks, isDraining: call.isDraining)
            return try .json(readiness, status: readiness.status == "ready" ? .ok : .serviceUnavailable)
        }
    )

    static let document = Route(
        .get,
        "/openapi.json",
        name: "apiDocument",
        summary: "This API, as OpenAPI 3.1.",
        reply: .other("application/json", "The document."),
        handler: .open { call in Reply(contentType: "application/json", body: call.table.document) }
    )

    /// For the admin listener only.
    static func metrics(_ registry: PrometheusRegistry) -> Route {
        Route(
            .get,
            "/metrics",
            name: "metrics",
            summary: "Every metric, in Prometheus' text format.",
            reply: .other("text/plain", "The metrics."),
            handler: .open { _ in
                Reply(
                    contentType: "text/plain; version=0.0.4; charset=utf-8",
                    body: Array(registry.text().utf8)
                )
            }
        )
    }
}
