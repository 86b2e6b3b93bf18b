import ArgumentParser
import VidConfig
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

extension NamedArchitecture: ExpressibleByArgument {}

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the speed of vidclass on this machine, on random input and weights.",
        discussion: """
              vidclass bench encode --frames 16 --size 224
              vidclass bench encode --layers
              vidclass bench step --batch 1
              vidclass bench head --batch 32 --json
              vidclass bench gemm
              vidclass bench pipeline
            """,
        subcommands: [
            BenchEncodeCommand.self, BenchStepCommand.self, BenchHeadCommand.self, BenchGEMMCommand.self, BenchPipelineCommand.self,
        ],
        defaultSubcommand: BenchEncodeCommand.self)

    /// The default model with this CNN, random weights and ten classes.
    static func classifier(_ architecture: NamedArchitecture, frames: Int, size: Int, trainable: Bool) throws -> Classifier {
        var model = ModelConfiguration()
        model.cnn?.architecture = .named(architecture)
        model.input.frames = frames
        model.input.rows = size
        model.input.columns = size
        model.cnn?.weights = nil
        model.cnn?.trainable = trainable ? .all : .none
        let classifier = try Classifier(model, classes: (0..<10).map { "class \($0)" })
        try classifier.initialize(seed: 1)
        return classifier
    }

    /// Facts about the machine, for every measurement.
    static func machine(_ threads: Int) -> [(String, JSONNode)] {
        [("threads", .integer(threads)), ("blas_kernel", .string(BLAS.coreName)), ("simd", .string(Machine.simdLevel))]
    }
}

/// The options that the measurements share.
struct BenchOptions: ParsableArguments {
    @OptionGroup var threads: ThreadOptions

    @OptionGroup var output: JSONOptions

    func report(_ text: String, _ members: [(String, JSONNode)]) throws { try output.print(text, .object(members)) }
}

struct BenchEncodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Encoding frames with a CNN and pooling.",
        usage: "vidclass bench encode [--architecture <name>] [--frames <n>] [<options>]",
        discussion: """
              vidclass bench encode --frames 16 --size 224
              vidclass bench encode --layers --architecture resnet50
            """)

    @Option(help: ArgumentHelp("The CNN, as in model.cnn.architecture.", valueName: "name"))
    var architecture = NamedArchitecture.vgg16

    @Option(help: ArgumentHelp("Number of frames.", valueName: "n"))
    var frames = 16

    @Option(help: ArgumentHelp("Rows and columns of a frame.", valueName: "s"))
    var size = 224

    @Flag(help: "Show every layer: time, GFLOP/s, share of GEMM's speed, algorithm.")
    var layers = false

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try checkRange("--frames", frames, 1...4096)
        try checkRange("--size", size, 32...4096)
    }

    func run() async throws {
        let workers = try options.threads.makeWorkers()
        let classifier = try BenchCommand.classifier(architecture, frames: frames, size: size, trainable: false)
        let gemm = try GEMMBenchmark.run(workers: workers)
        let context = Context(parameters: classifier.parameters, workers: workers, random: RandomGenerator(seed: 0))
        let result = try EncodeBenchmark.run(classifier.encoder, frames: frames, byLayer: layers, context)
        let speed = result.gigaflopPerFrame / result.millisecondsPerFrame * 1e3
        let share = speed / gemm.allThreads
        let bound = result.boundMillisecondsPerFrame(gemm)
        let lines = [
            "\(Formatting.fixed(result.millisecondsPerFrame, 1)) ms per frame (\(frames) frames of \(size) x \(size), \(Formatting.count(workers.count, "thread")), "
                + "OpenBLAS \(BLAS.coreName))",
            "\(Formatting.fixed(speed, 0)) GFLOP/s of plain convolution, \(Formatting.fixed(share * 100, 0)) % of GEMM's \(Formatting.fixed(gemm.allThreads, 0))",
            "\(Formatting.fixed(result.millisecondsPerFrame / bound, 2)) times the products alone (\(Formatting.fixed(bound, 1)) ms at GEMM's speed)",
        ]
        var text = lines.map { Terminal.paragraph($0, indent: 2) }.joined()
        if layers {
            var rows = [["layer", "ms per frame", "GFLOP/s", "of GEMM", "algorithm"]]
            for layer in result.layers {
                let isProduct = layer.gigaflop > 0
                rows.append([
                    layer.name, Formatting.fixed(layer.milliseconds / Double(frames), 2),
                    isProduct ? Formatting.fixed(layer.gigaflopsPerSecond, 0) : "",
                    isProduct ? Formatting.fixed(layer.gigaflopsPerSecond / gemm.allThreads * 100, 0) + " %" : "", layer.algorithm ?? "",
                ])
            }
            text += "\n" + Formatting.table(rows, right: [1, 2, 3])
        }
        var members: [(String, JSONNode)] = [
            ("ms_per_frame", .number(result.millisecondsPerFrame)),
            ("bound_ms_per_frame", .number(bound)), ("frames", .integer(frames)), ("size", .integer(size)),
        ]
        members += BenchCommand.machine(workers.count)
        members += [
            ("sgemm_gflops", .number(gemm.allThreads)), ("gflops", .number(speed)), ("share_of_sgemm", .number(share)),
            ("peak_rss_bytes", .integer(Machine.peakResidentBytes)),
        ]
        if layers {
            let entries = result.layers.map { layer -> JSONNode in
                .object([
                    ("name", .string(layer.name)), ("ms_per_frame", .number(layer.milliseconds / Double(frames))),
                    ("gflops", .number(layer.gigaflopsPerSecond)), ("share_of_sgemm", .number(layer.gigaflopsPerSecond / gemm.allThreads)),
                    ("algorithm", .string(ifAny: layer.algorithm)),
                ])
            }
            members.append(("layers", .array(entries)))
        }
        try options.report(text, members)
    }
}

struct BenchStepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "A whole training step with a trainable CNN.",
        usage: "vidclass bench step [--architecture <name>] [--batch <b>] [<options>]",
        discussion: """
              vidclass bench step --batch 4 --memory-gib 3
              vidclass bench step --json
            """)

    @Option(help: ArgumentHelp("The CNN, as in model.cnn.architecture.", valueName: "name"))
    var architecture = NamedArchitecture.vgg16

    @Option(help: ArgumentHelp("Frames per clip.", valueName: "n"))
    var frames = 16

    @Option(help: ArgumentHelp("Rows and columns of a frame.", valueName: "s"))
    var size = 224

    @Option(help: ArgumentHelp("Clips per step.", valueName: "b"))
    var batch = 1

    @Option(help: ArgumentHelp("GiB of memory to stay within; by default all free memory.", valueName: "g"))
    var memoryGib: Double?

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try checkRange("--frames", frames, 1...4096)
        try checkRange("--size", size, 32...4096)
        try checkRange("--batch", batch, 1...4096)
        if let memoryGib, !(memoryGib > 0) { throw ValidationError("--memory-gib takes a number above 0, not \(memoryGib).") }
    }

    func run() async throws {
        let workers = try options.threads.makeWorkers()
        let classifier = try BenchCommand.classifier(architecture, frames: frames, size: size, trainable: true)
        let optimizer = try Optimizer(OptimizerConfiguration(), classifier.parameters)
        let memory = try StepMemory(
            classifier, slots: optimizer.slots.count, batchSize: batch, threads: workers.count, budget: MemoryBudget(gibibytes: memoryGib))
        let result = try StepBenchmark.run(
            classifier, optimizer: optimizer, clips: batch, memory: memory, workers: workers, seconds: 6)
        let repeated = memory.activations?.repeated ?? 0
        // As many frames as any phase of the encoding takes at a time, or fewer.
        let encoding = try EncodeBenchmark.run(
            classifier.encoder, frames: min(16, batch * frames), byLayer: false,
            Context(parameters: classifier.parameters, workers: workers, random: RandomGenerator(seed: 0)))
        let fastest = result.fastestSecondsPerStep * 1e3 / Double(batch * frames)
        let ratio = fastest / encoding.millisecondsPerFrame
        let text = [
            "\(Formatting.fixed(result.millisecondsPerFrame, 1)) ms per frame (steps of \(Formatting.count(batch, "clip")) with \(frames) frames of \(size) x \(size), "
                + "\(Formatting.count(workers.count, "thread")))",
            "\(Formatting.fixed(ratio, 2)) times encoding: \(Formatting.fixed(fastest, 1)) and \(Formatting.fixed(encoding.millisecondsPerFrame, 1)) ms, the fastest of each",
            "at most \(Formatting.bytes(result.peakResidentBytes)) resident (planned \(Formatting.bytes(memory.total))), "
                + "\(Formatting.fixed(repeated * 100, 0)) % of the activations recomputed",
        ]
        try options.report(
            text.map { Terminal.paragraph($0, indent: 2) }.joined(),
            [
                ("ms_per_frame", .number(result.millisecondsPerFrame)), ("fastest_ms_per_frame", .number(fastest)),
                ("encode_ms_per_frame", .number(encoding.millisecondsPerFrame)), ("times_encode", .number(ratio)),
                ("peak_rss_bytes", .integer(result.peakResidentBytes)),
                ("planned_bytes", .integer(memory.total)), ("repeated_forward", .number(repeated)), ("clips", .integer(batch)),
                ("frames", .integer(frames)), ("size", .integer(size)),
            ] + BenchCommand.machine(workers.count))
    }
}

struct BenchHeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head",
        abstract: "Training steps of the head (LSTM 256, dense 1024) on cached features.",
        usage: "vidclass bench head [--frames <n>] [--batch <b>] [<options>]",
        discussion: """
              vidclass bench head --batch 32
              vidclass bench head --json
            """)

    @Option(help: ArgumentHelp("Frames per clip.", valueName: "n"))
    var frames = 16

    @Option(help: ArgumentHelp("Clips per step.", valueName: "b"))
    var batch = 32

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try checkRange("--frames", frames, 1...4096)
        try checkRange("--batch", batch, 1...65536)
    }

    func run() async throws {
        let workers = try options.threads.makeWorkers()
        let classifier = try BenchCommand.classifier(.vgg16, frames: frames, size: 32, trainable: false)
        let gemm = try GEMMBenchmark.run(workers: workers)
        let optimizer = try Optimizer(OptimizerConfiguration(), classifier.parameters)
        let memory = try StepMemory(
            classifier, slots: optimizer.slots.count, batchSize: batch, threads: workers.count, budget: MemoryBudget(gibibytes: nil))
        let result = try StepBenchmark.run(classifier, optimizer: optimizer, clips: batch, memory: memory, workers: workers)
        let bound = result.boundSecondsPerStep(classifier.head, gemm)
        let share = bound / result.secondsPerStep
        let text = [
            "\(Formatting.fixed(result.clipsPerSecond, 0)) clips per second (steps of \(batch) clips with \(frames) x \(classifier.features) features, "
                + "\(Formatting.count(workers.count, "thread")))",
            "\(Formatting.fixed(result.secondsPerStep * 1e3, 1)) ms per step; the products alone would take \(Formatting.fixed(bound * 1e3, 1)) ms at GEMM's "
                + "\(Formatting.fixed(gemm.allThreads, 0)) GFLOP/s, \(Formatting.fixed(share * 100, 0)) % of that",
        ]
        try options.report(
            text.map { Terminal.paragraph($0, indent: 2) }.joined(),
            [
                ("clips_per_second", .number(result.clipsPerSecond)), ("ms_per_step", .number(result.secondsPerStep * 1e3)),
                ("bound_ms_per_step", .number(bound * 1e3)), ("sgemm_gflops", .number(gemm.allThreads)),
                ("gflops", .number(share * gemm.allThreads)), ("share_of_sgemm", .number(share)),
                ("batch", .integer(batch)), ("frames", .integer(frames)), ("features", .integer(classifier.features)),
            ] + BenchCommand.machine(workers.count))
    }
}

struct BenchGEMMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gemm",
        abstract: "Matrix products (GEMM) alone, as a yardstick.",
        discussion: """
              vidclass bench gemm
              vidclass bench gemm --threads 1
            """)

    @OptionGroup var options: BenchOptions

    func run() async throws {
        let workers = try options.threads.makeWorkers()
        let result = try GEMMBenchmark.run(workers: workers)
        let text =
            "\(Formatting.fixed(result.oneThread, 0)) GFLOP/s on one thread, \(Formatting.fixed(result.allThreads, 0)) on \(result.threads) (OpenBLAS \(BLAS.coreName))\n"
        try options.report(
            text,
            [("sgemm_gflops_one_thread", .number(result.oneThread)), ("sgemm_gflops", .number(result.allThreads))]
                + BenchCommand.machine(workers.count))
    }
}
