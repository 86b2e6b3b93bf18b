import ArgumentParser
import VidConfig
import VidData
import VidReport
import VidRun
import VidTensor
import VidTrain

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check every clip of a data set.",
        usage: "vidclass check [<data>] [--config <file>] [<options>]",
        discussion: """
            Unreadable, too-short, damaged or duplicated clips are reported with the reason. Every clip is read to its end; files that \
            did not change since the last check are not read again. Of a video of more than a minute, the container is read, and some \
            key frames and both ends are decoded; --thorough decodes all of it. The splits are those that `train` would make. Without --config \
            every readable clip is good; with it, a clip that the model can't use (another frame size, too short) is bad, too. Ends \
            with 65 if a clip is bad, if a clip has two labels, if data.damaged is "refuse" and a clip is damaged, or if data.leak_check is "refuse" and clips of \
            different splits show the same footage.

              vidclass check videos
              vidclass check --config config.json
              vidclass check videos --thorough
              vidclass check kinetics/train.csv --media kinetics/videos
              vidclass check videos --set data.validation_split=0.3 --json
            """)

    @Argument(help: "A folder, table or list of labelled clips; by default data.path of the config.", completion: .labelledClips)
    var data: String?

    @OptionGroup var media: MediaOptions

    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "Decode every frame of videos of more than a minute, too.")
    var thorough = false

    @Option(help: ArgumentHelp("Number of clips checked at a time; by default the number of processors.", valueName: "n"))
    var threads: Int?

    @OptionGroup var features: FeatureCacheOptions

    @OptionGroup var output: JSONOptions

    func validate() throws {
        guard data != nil || configuration.config != nil else {
            throw ValidationError("Name the data, or a config that names it with --config FILE.")
        }
        try checkRange("--threads", threads, 1...1024)
    }

    func run() async throws {
        let hasConfig = configuration.config != nil
        var configuration = try configuration.load(media.overrides)
        if !hasConfig { configuration.model.input = InitPlan.anyInput }
        let set = try DataSet.open(
            data ?? configuration.data.path, media: data == nil ? configuration.data.media : media.folder,
            split: configuration.data.splitOptions(seed: configuration.seed))
        let display = RunDisplay()
        defer { display.clear() }
        let report = try await Runtime(Workers(count: 1), cache: try features.cache(), display: display).check(
            set, loader: ClipLoader(configuration), mustFit: hasConfig, leakCheck: configuration.data.leakCheck != .off,
            isThorough: thorough, concurrency: threads ?? Workers.processorCount)
        try output.print(DataReportText.text(report), report.document)
        if let error = report.badClipsError(isListed: !output.json) { throw error }
        if let error = report.contradictionError(isListed: !output.json) { throw error }
        if configuration.data.damaged == .refuse, let error = report.damagedError(isListed: !output.json) { throw error }
        if configuration.data.leakCheck == .refuse, let error = report.leakError(isListed: !output.json) { throw error }
    }
}
