/// Where the clips are, how they are split and what is done to their pixels.
package struct DataConfiguration: ConfigurationSection {
    /// A folder of class folders, a folder of `train`, `val`, `test` with class folders, or a table or list of clips.
    package var path = "data/ucf"
    /// Another folder in which the clips of a table are looked for.
    package var media: String?
    /// Shares of the clips held out when the data names no splits of its own.
    package var validationSplit = 0.2
    package var testSplit = 0.0
    package var preprocessing = PreprocessingName.caffe
    package var shortClips = ShortClips.loop
    package var sampling = SamplingConfiguration()
    /// Skips clips that cannot be read or are too short, and lists them in `skipped.csv`.
    package var skipBadClips = false
    package var damaged = DamagedClips.use
    /// Whether interlaced video is deinterlaced; false: both fields stay woven together in each frame.
    package var deinterlace = true
    /// The rate of the frames in folders of numbered pictures; nil = unknown.
    package var frameFolderRate: Double?
    /// The names of the features of vectors, in their order; empty = their numbers.
    package var featureNames: [String] = []
    package var leakCheck = LeakCheckMode.report
    package var audio = AudioConfiguration()

    package init() {}
}

/// The treatment of a clip that can be read, but with decoding errors or missing frames.
package enum DamagedClips: String, Sendable, Equatable, CaseIterable {
    /// Uses the frames that can be decoded; clips are listed.
    case use
    /// Leaves the clips out, as bad clips are, and lists them in `skipped.csv`.
    case skip
    /// Clips are listed; training does not start.
    case refuse
}

/// What to do about footage that appears in more than one split.
package enum LeakCheckMode: String, Sendable, Equatable, CaseIterable {
    case off
    /// Pairs are listed; training goes on.
    case report
    /// Pairs are listed; training does not start.
    case refuse
}

/// How pixel values 0...255 become the CNN's input.
package enum PreprocessingName: String, Sendable, Equatable, CaseIterable {
    /// BGR minus 103.939, 116.779, 123.68 (Keras's VGG weights).
    case caffe
    /// (x / 255 - mean) / standard deviation of ImageNet, RGB (torchvision's weights).
    case torch
    /// x / 255.
    case unit
    /// x / 127.5 - 1.
    case symmetric
    case none
}

/// What to do with a clip that has fewer frames than `model.input.frames`.
package enum ShortClips: String, Sendable, Equatable, CaseIterable {
    /// Starts again from its first frame.
    case loop
    /// Repeats its last frame.
    case padLast = "pad_last"
    /// Missing steps are masked: recurrent layers carry their state through them.
    case mask
    /// Refuses the clip.
    case error
}

extension DataConfiguration {
    /// How people call feature `number` of vectors: `wrist_x`, or `feature 0`.
    package func featureName(_ number: Int) -> String {
        featureNames.indices.contains(number) ? featureNames[number] : "feature \(number)"
    }
}

// MARK: - Table

extension DataConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("path", \.path, .text("the path of a folder or a table"), "A folder of class folders, or a table or list of clips."),
        .init(
            "media", \.media, .nullable(.text("the path of a folder")),
            "Another folder in which the clips of a table or list are looked for; null: only that of the table."),
        .init("validation_split", \.validationSplit, .number(.share), "Share of the clips held out for validation."),
        .init("test_split", \.testSplit, .number(.share), "Share of the clips held out for testing."),
        .init("preprocessing", \.preprocessing, .word(), "How pixels become the CNN's input; must match the pre-trained weights."),
        .init("short_clips", \.shortClips, .word(), "What to do with a clip that has fewer frames than model.input.frames."),
        .init("sampling", \.sampling, SamplingConfiguration.codec, "Which frames of a clip the model sees."),
        .init(
            "skip_bad_clips", \.skipBadClips, .boolean,
            "Skip clips that cannot be read or are too short, and list them in skipped.csv; false: stop before training."),
        .init(
            "damaged", \.damaged, .word(),
            "What to do with clips that have decoding errors or missing frames. use: list them and train on the frames that can be decoded; skip: leave them out and list them in skipped.csv; refuse: do not train."
        ),
        .init("deinterlace", \.deinterlace, .boolean, "Deinterlace interlaced video; false: use its frames as they are stored."),
        .init(
            "frame_folder_fps", \.frameFolderRate, .nullable(.number(.init(above: 0, to: 1000))),
            "Frames per second of clips that are folders of numbered pictures; null: not known."),
        .init(
            "feature_names", \.featureNames, .list(of: .text("the name of a feature"), "an array of names, one for each feature"),
            "The names of the features of vectors, such as [\"wrist_x\", \"wrist_y\"], for explain and the report; []: their numbers."),
        .init(
            "leak_check", \.leakCheck, .word(),
            "What to do about clips of different splits that show the same footage. off: no check; report: list them; refuse: do not train."
        ),
        .init("audio", \.audio, AudioConfiguration.codec, "How sound becomes spectrograms."),
    ]
}
