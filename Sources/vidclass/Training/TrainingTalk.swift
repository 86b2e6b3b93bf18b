/// How much a training says, and to whom.
struct TrainingTalk {
    /// Nothing on standard error but where things are, and what must be known.
    var quiet = false
    /// More notes than a line an epoch.
    var verbose = false
    /// Nil: standard output has no events.
    var stream: TrainingStream?

    init(quiet: Bool = false, verbose: Bool = false, stream: TrainingStream? = nil) {
        self.quiet = quiet
        self.verbose = verbose
        self.stream = stream
    }

    /// The same of one fold.
    func of(fold: Int, folds: Int) -> TrainingTalk {
        TrainingTalk(quiet: quiet, verbose: verbose, stream: stream.map { _ in TrainingStream(fold: fold, folds: folds) })
    }
}
