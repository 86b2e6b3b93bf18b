import VidCheckpoint
import VidConfig
import VidData
import VidSystem
import VidTrain

/// A training whose configuration is chosen for its data, with one check of the clips.
package struct ChosenTraining {
    package let configuration: RunConfiguration
    let data: CheckedData

    /// Looks at a few clips and guesses the configuration, so that the check of all clips can keep the frames that the training needs;
    /// then chooses as `InitPlan` does, by the findings. If the guess was wrong, clips are decoded again.
    ///
    /// - Parameters:
    ///   - path: a folder or table of labelled clips.
    ///   - media: another folder in which the clips of a table are looked for.
    ///   - overrides: settings that replace the chosen ones.
    ///   - startsFromScratch: whether a small CNN is to be trained from random weights.
    /// - Throws: as `InitPlan.init`, and `.missingInput` if there are no pre-trained weights on this machine.
    package init(for path: String, media: String? = nil, overrides: [String], startsFromScratch: Bool, in runtime: Runtime) async throws {
        let listing = try DataListing(path, media: media)
        let whole = try listing.divided(by: .none)
        let guess = try await ChosenTraining.guess(whole, overrides, startsFromScratch, runtime)
        var anyInput = RunConfiguration()
        anyInput.model.input = InitPlan.anyInput
        let guessed = try guess?.configuration(overrides: overrides) ?? anyInput
        if guess != nil { try ChosenTraining.requireWeights(guessed, runtime) }

        let divided = try listing.divided(by: guessed.data.splitOptions(seed: guessed.seed))
        let loader = ClipLoader(guessed)
        let keeping = guess == nil ? nil : KeptViews(guessed, shown: .heldOut(of: divided))
        let checked = try await runtime.check(
            divided, loader: loader, sharedBy: guessed, mustFit: false, leakCheck: guessed.data.leakCheck != .off, keeping: keeping)

        let plan = try await InitPlan(
            checked.divided(as: whole), checkedWith: loader, startsFromScratch: startsFromScratch, speed: guess?.speed, in: runtime)
        configuration = try plan.configuration(overrides: overrides)
        try ChosenTraining.requireWeights(configuration, runtime)
        let own = try listing.divided(by: configuration.data.splitOptions(seed: configuration.seed))
        let found = try await plan.fitted(checked.divided(as: own), to: configuration)
        let isAsGuessed = ClipLoader(configuration).sampling(.whole) == loader.sampling(.whole)
        data = try CheckedData(
            found, clips: isAsGuessed ? keeping?.store : nil, configuration, in: runtime, skipsBadClips: configuration.data.skipBadClips)
        try runtime.observe(.chosen(plan.choices(without: overrides)))
    }

    /// The training itself.
    package var plan: TrainingPlan { TrainingPlan(configuration, data) }

    /// The training as cross-validation.
    package func folds(_ count: Int, in runtime: Runtime) throws -> FoldTraining {
        try FoldTraining(configuration, data, count: count, in: runtime)
    }

    /// The plan that the heads of a few clips give; nil if they give none. The check then tells why.
    private static func guess(
        _ data: DataSet, _ overrides: [String], _ startsFromScratch: Bool, _ runtime: Runtime
    ) async throws -> InitPlan? {
        let survey = try await DataReport.survey(data)
        var defaults = RunConfiguration()
        defaults.model.input = InitPlan.anyInput
        return try? await InitPlan(survey, checkedWith: ClipLoader(defaults), startsFromScratch: startsFromScratch, in: runtime)
    }

    private static func requireWeights(_ configuration: RunConfiguration, _ runtime: Runtime) throws {
        guard let cnn = configuration.model.cnn, let name = cnn.weights else { return }
        do { _ = try runtime.weights.find(name, cnn.architecture) } catch let error as VidclassError where name == "imagenet" {
            throw VidclassError(
                error.kind,
                "\(configuration.data.path.printable): this training needs the ImageNet weights of \(cnn.architecture.label), which are not on "
                    + "this machine yet: get them, once, with `\(ShellText.vidclass("weights", "fetch", cnn.architecture.label))`, or train a "
                    + "small CNN without them by adding --from-scratch")
        }
    }
}

extension InitPlan {
    /// The chosen configuration with `overrides` (`KEY=VALUE`).
    fileprivate func configuration(overrides: [String]) throws -> RunConfiguration {
        try RunConfiguration(json: text, source: "the configuration chosen for \(report.data.path.printable)", overrides: overrides)
    }

    /// The choices that `overrides` leave as they are.
    fileprivate func choices(without overrides: [String]) -> [ConfigurationChoice] {
        let keys = overrides.map { String($0.prefix { $0 != "=" }) }
        return choices.filter { choice in
            !keys.contains { $0 == choice.key || $0.hasPrefix(choice.key + ".") || choice.key.hasPrefix($0 + ".") }
        }
    }
}
