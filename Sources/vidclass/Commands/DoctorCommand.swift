import ArgumentParser
import VidCheckpoint
import VidCluster
import VidData
import VidReport
import VidSystem
import VidTensor

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this machine: how fast it is, what slows it down, and what to do about it.",
        discussion: """
              vidclass doctor
              vidclass doctor --json
            """)

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var output: JSONOptions

    func run() async throws {
        let workers = try threads.makeWorkers()
        if !output.json { Terminal.note(Terminal.fitted("measuring matrix products for a second or two ...")) }
        let gemm = try GEMMBenchmark.run(workers: workers)
        let ffmpeg = try? await FFmpeg.locate().version
        let cache = CacheFolder()
        let facts = Diagnosis(
            oneThread: gemm.oneThread, allThreads: gemm.allThreads, threads: workers.count, readerFault: await DoctorCommand.readerFault(),
            ffmpeg: ffmpeg, plugin: PluginState.here(),
            weights: await WeightsLibrary(hdf5: Program.hdf5).list().filter { $0.fault == nil }.map(\.path),
            cache: cache.path, featureBytes: FeatureListing(cache.features).bytes)
        try output.print(facts.text, facts.document)
    }

    /// Why readers cannot be started here; nil if one answers.
    private static func readerFault() async -> String? {
        do {
            try await Readers.shared.withReader(for: "a reader", timeLimit: .seconds(60)) { session in
                try await session.send(ReaderMessage.trial, Array(ReaderTrial.thread.rawValue.utf8))
                try await session.finish()
            }
            return nil
        } catch {
            return (error as? VidclassError)?.message ?? "\(error)"
        }
    }
}

/// The findings of `doctor`.
private struct Diagnosis {
    let oneThread: Double
    let allThreads: Double
    let threads: Int
    let readerFault: String?
    // The libraries that are loaded when they are first needed.
    let media = MediaService.library
    let hdf5 = HDF5Import.library
    let cairo = Canvas.library
    let curl = WeightsDownload.downloader
    var libraries: [LazyLibrary] { [media, hdf5, cairo, curl] }
    /// The version of the program ffmpeg.
    let ffmpeg: String?
    /// The plug-in for MPI.
    let plugin: PluginState
    let weights: [String]
    let cache: String
    let featureBytes: Int

    /// Warnings with their remedies.
    var warnings: [String] {
        var warnings: [String] = []
        let kernel = BLAS.coreName.lowercased()
        let extensions = Set(Machine.vectorExtensions)
        let slow = ["prescott", "core2", "nehalem", "generic", "penryn", "sandybridge", "barcelona"]
        if extensions.contains("avx2"), slow.contains(where: kernel.hasPrefix) {
            let better = extensions.contains("avx512f") ? "SKYLAKEX" : "HASWELL"
            warnings.append(
                "OpenBLAS runs its \(BLAS.coreName) kernel although this CPU has AVX2: several times slower than it could be. "
                    + (BLAS.coreIsUsers
                        ? "Unset OPENBLAS_CORETYPE (it is \(BLAS.requestedCore))."
                        : "Set OPENBLAS_CORETYPE=\(better), or install an OpenBLAS built with DYNAMIC_ARCH."))
        } else if extensions.contains("avx512f"), kernel.hasPrefix("haswell") || kernel.hasPrefix("zen"), BLAS.coreIsUsers {
            warnings.append(
                "OPENBLAS_CORETYPE=\(BLAS.requestedCore) keeps OpenBLAS from using this CPU's AVX-512. Unset it unless it is faster.")
        }
        if threads < Workers.processorCount {
            warnings.append("\(threads) of \(Workers.processorCount) processors are used. Leave out --threads to use all.")
        }
        if threads > Workers.processorCount {
            warnings.append("\(threads) threads on \(Workers.processorCount) processors wait for each other. Leave out --threads.")
        }
        if allThreads < 0.75 * oneThread * Double(threads), threads > 1 {
            warnings.append(
                "\(threads) threads together reach \(Formatting.fixed(allThreads / oneThread, 1)) times one thread's speed. Other programs may be using the processors, or two threads share a core."
            )
        }
        if Machine.availableBytes < 2 << 30 {
            warnings.append(
                "Only \(Formatting.bytes(Machine.availableBytes)) of memory is free; VGG16 at 224 x 224 wants about 0.3 GiB frozen and 1.5 GiB when it is trained. Close other programs or use smaller frames."
            )
        }
        if let readerFault {
            warnings.append("Videos, sounds and HDF5 files cannot be read (.bin and .npy clips can): \(readerFault)")
        }
        let complaints = libraries.compactMap(\.complaint)
        warnings += complaints.map { $0.prefix(1).uppercased() + $0.dropFirst() + "." }
        if !complaints.isEmpty {
            warnings.append(
                "These packages are of the release of Debian or Ubuntu on which this vidclass was built. If apt-get does not find one of them here, use a vidclass that was built on this release."
            )
        }
        if ffmpeg == nil {
            warnings.append(
                "The program ffmpeg was not found, so explain cannot write animations. Nothing else needs it. Install it: apt-get install ffmpeg."
            )
        }
        if let fault = plugin.fault { warnings.append(fault) }
        if weights.isEmpty {
            warnings.append(
                "No ImageNet weights were found. Get them with `\(ShellText.vidclass("weights", "fetch", "vgg16"))`, or import a file: `\(ShellText.vidclass("weights", "import", "FILE"))`."
            )
        }
        return warnings
    }

    var text: String {
        let kernel = BLAS.coreIsUsers ? "\(BLAS.coreName) (set by OPENBLAS_CORETYPE)" : BLAS.coreName
        let use = readerFault == nil ? "in sandboxed readers" : "which cannot be used here"
        let rows: [(name: String, text: String)] = [
            ("processor", Machine.processorName),
            ("vectors", "\(Machine.vectorExtensions.joined(separator: " ")); the kernels run \(Machine.simdLevel)"),
            ("threads", "\(threads) of \(Workers.processorCount) processors"),
            ("memory", "\(Formatting.bytes(Machine.availableBytes)) free of \(Formatting.bytes(Machine.memoryBytes))"),
            ("BLAS", BLAS.configuration),
            ("BLAS kernel", kernel),
            ("speed", "\(Formatting.fixed(oneThread, 0)) GFLOP/s on one thread, \(Formatting.fixed(allThreads, 0)) on \(threads)"),
            ("FFmpeg", media.version.map { "\($0), \(use)" } ?? "not found"),
            ("HDF5", hdf5.version ?? "not found"),
            ("cairo", cairo.version ?? "not found"),
            ("libcurl", curl.version ?? "not found"),
            ("ffmpeg program", "\(ffmpeg ?? "not found") (for animations only)"),
            ("MPI", plugin.text),
            ("cache", "\(cache), with \(Formatting.bytes(featureBytes))"),
            ("weights", weights.isEmpty ? "none" : weights.joined(separator: ", ")),
        ]
        let found = warnings
        let verdict =
            found.isEmpty ? "no problems found\n" : found.map { Terminal.paragraph("warning: \($0)", indent: 2) }.joined()
        return FittedTable.facts(rows, style: .standardOutput) + "\n" + verdict
    }

    var document: JSONNode {
        func list(_ values: [String]) -> JSONNode { .array(values.map { .string($0) }) }
        let library: String? = if case .loaded(_, let library) = plugin { library } else { nil }
        let packages = libraries.flatMap { $0.packages.split(separator: " ").map(String.init) }
        return .object([
            ("processor", .string(Machine.processorName)),
            ("vector_extensions", list(Machine.vectorExtensions)),
            ("simd", .string(Machine.simdLevel)),
            ("processors", .integer(Workers.processorCount)),
            ("threads", .integer(threads)),
            ("memory_bytes", .integer(Machine.memoryBytes)),
            ("available_bytes", .integer(Machine.availableBytes)),
            ("blas_version", .string(BLAS.configuration)),
            ("blas_kernel", .string(BLAS.coreName)),
            ("blas_kernel_set_by_user", .bool(BLAS.coreIsUsers)),
            ("sgemm_gflops_one_thread", .number(oneThread)),
            ("sgemm_gflops", .number(allThreads)),
            ("libav", .string(ifAny: media.version)),
            ("hdf5", .string(ifAny: hdf5.version)),
            ("cairo", .string(ifAny: cairo.version)),
            ("libcurl", .string(ifAny: curl.version)),
            ("packages", list(packages)),
            ("ffmpeg", .string(ifAny: ffmpeg)),
            ("mpi", .string(ifAny: library)),
            ("cache", .string(cache)),
            ("cache_feature_bytes", .integer(featureBytes)),
            ("weights", list(weights)),
            ("warnings", list(warnings)),
        ])
    }
}
