import ArgumentParser
import VidReport
import VidTensor

/// `--threads`, for every command that computes.
struct ThreadOptions: ParsableArguments {
    @Option(name: .customLong("threads"), help: "Threads that compute; the number of processors by default. Results do not depend on it.")
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 || threads > 1024 {
            throw ValidationError("--threads takes a number from 1 to 1024, not \(threads).")
        }
    }

    func makeWorkers() -> Workers { Workers(count: threads ?? Workers.processorCount) }
}
