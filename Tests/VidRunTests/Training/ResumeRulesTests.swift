import Testing
import VidConfig
import VidRun
import VidSystem

/// Which values of the configuration a resumed run may change.
@Suite struct ResumeRulesTests {
    private func configuration(_ overrides: [String]) throws -> RunConfiguration {
        try RunConfiguration(
            json: #"{"stages": [{"epochs": 2}, {"epochs": 3, "trainable": true}], "training": {"epochs": 5}}"#, source: "a test",
            overrides: overrides)
    }

    @Test(arguments: [
        [], ["training.target=0.9", "training.max_minutes=3"], ["training.early_stopping.patience=4"], ["output.name=other"],
        ["training.epochs=6", "stages.1.epochs=4", "stages.1.learning_rate=0.1"], ["data.path=elsewhere"],
        ["optimizer.learning_rate=0.5"],
    ])
    func mayChange(overrides: [String]) throws {
        try ResumeRules.check(try configuration(overrides), against: try configuration([]), "config.json")
    }

    @Test(arguments: [
        ("seed=2", "seed (1 to 2)"), ("training.batch_size=3", "training.batch_size"), ("stages.1.trainable=false", "stages.1.trainable"),
        ("optimizer.beta_1=0.5", "optimizer.beta_1"), ("model.hidden=[]", "model.hidden"),
    ])
    func mayNotChange(override: String, words: String) throws {
        let error = #expect(throws: VidclassError.self) {
            try ResumeRules.check(try configuration([override]), against: try configuration([]), "config.json")
        }
        #expect(
            error?.kind == .badData && error?.message.contains("config.json: a resumed training cannot change \(words)") == true,
            "\(error?.message ?? "")")
    }
}
