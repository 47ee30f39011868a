import Domain
import TestSupport
import Testing

@Suite("Waking those who wait")
struct WakeupTests {
    @Test("everybody who waits is woken, and who comes later with an old generation does not wait")
    func wakes() async {
        let wakeup = Wakeup()
        let generation = wakeup.generation
        await withDiscardingTaskGroup { group in
            for _ in 0..<10 { group.addTask { await wakeup.wait(beyond: generation) } }
            wakeup.notify()
        }
        await wakeup.wait(beyond: generation)
        #expect(wakeup.generation == generation + 1)
    }

    @Test("waiting ends with its task, and when its time is over")
    func ends() async {
        let wakeup = Wakeup()
        let waiting = Task { await wakeup.wait(beyond: wakeup.generation) }
        waiting.cancel()
        await waiting.value
        await wakeup.wait(beyond: wakeup.generation, atMost: .milliseconds(1))
        #expect(wakeup.generation == 0, "nobody notified")
    }
}
