import Testing
import VidConfig
import VidSystem

@Suite struct MetricTests {
    private func decoded(_ json: String) throws -> TrainingConfiguration {
        try TrainingConfiguration.codec.decode(try JSONParser.parse(Array(#"{"monitor": \#(json)}"#.utf8)), ConfigurationPath())
    }

    @Test(arguments: [
        "loss", "categorical_accuracy", "val_loss", "val_categorical_accuracy", "val_top_5_accuracy", "val_macro_f1",
        "val_balanced_accuracy",
        "val_ece", "val_brier", "val_precision/a", "val_recall/a/b \u{1F408}", "val_f1/\u{301}",
    ])
    func namesReadBack(name: String) throws {
        let monitor = try decoded(JSONNode.string(name).text()).monitor
        #expect(monitor.rawValue.hasSameBytes(as: name))
        #expect(TrainingConfiguration.codec.encode(try decoded(JSONNode.string(name).text()))["monitor"] == .string(name))
        #expect(Metric(monitor.kind, label: monitor.label) == monitor)
    }

    @Test(arguments: [
        (#""val_lss""#, #"found the string "val_lss"; did you mean "val_loss"?"#),
        (#""val_f1""#, #"found the string "val_f1"; did you mean "val_f1/LABEL"?"#), (#""val_f1/""#, #"did you mean "val_f1/LABEL"?"#),
        (#""val_recal/car""#, #"did you mean "val_recall/car"?"#), (#""val_loss/car""#, #"found the string "val_loss/car""#),
        (#""val_f1/a\u0000""#, #"found the string "val_f1/a\u0000""#), ("3", "found 3"), ("null", "found null"),
    ])
    func othersAreRefused(json: String, part: String) {
        #expect {
            try decoded(json)
        } throws: {
            guard let fault = $0 as? ConfigurationFault else { return false }
            return fault.message.hasPrefix(#"expected one of "loss", "categorical_accuracy", "val_loss", "#) && fault.message.contains(part)
                && fault.message.contains(#"or, for one class, "val_precision/LABEL", "val_recall/LABEL", "val_f1/LABEL", found"#)
        }
    }

    @Test func namesOfSeriesAndOfLines() {
        #expect(
            Metric.Kind.whole.map(\.seriesName) == [
                "train/loss", "train/categorical_accuracy", "val/loss", "val/categorical_accuracy", "val/top_5_accuracy", "val/macro_f1",
                "val/balanced_accuracy", "val/ece", "val/brier",
            ])
        #expect(
            Metric(rawValue: "val_categorical_accuracy")?.shortName == "val acc"
                && Metric(rawValue: "val_f1/car")?.shortName == "val F1 car")
    }
}
