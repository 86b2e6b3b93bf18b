import Testing
import VidConfig
import VidSystem

/// `model.cnn: null`, and `model.input.features` for clips that are vectors over time.
@Suite struct VectorConfigurationTests {
    private static let vectors = #""input": {"frames": 30, "features": 66}, "cnn": null"#

    private func load(_ json: String, _ overrides: String...) throws -> RunConfiguration {
        try RunConfiguration(json: json, source: "a test", overrides: overrides)
    }

    @Test func vectorsAreFramesOfOneRow() throws {
        let configuration = try load("{\"model\": {\(Self.vectors)}}")
        let input = configuration.model.input
        #expect((input.frames, input.features, input.standardize) == (30, 66, true))
        #expect((input.channels, input.rows, input.columns) == (1, 1, 66))
        #expect(configuration.model.cnn == nil && configuration.data.preprocessing == .none)
        // What is written is read again, and has no keys of pixels.
        let json = configuration.json["model"]?["input"]
        #expect(json?.objectMembers?.map(\.key) == ["frames", "features", "standardize"])
        #expect(configuration.json["model"]?["cnn"]?.isNull == true)
        #expect(try load(configuration.text) == configuration)
        #expect(RunConfiguration().json["model"]?["input"]?.objectMembers?.map(\.key) == ["frames", "channels", "rows", "columns"])
    }

    @Test func settingsMakeVectorsOfTheDefaults() throws {
        let configuration = try load("{}", "model.input={\"frames\": 5, \"features\": 2, \"standardize\": false}", "model.cnn=null")
        #expect(configuration.model.input == InputConfiguration(frames: 5, features: 2, standardize: false))
    }

    @Test func framesWithoutACNN() throws {
        let configuration = try load(
            #"{"model": {"cnn": null, "input": {"rows": 1, "columns": 1}, "recurrent": [], "pooling_over_time": "flatten"}}"#)
        #expect(configuration.model.cnn == nil && configuration.model.poolingOverTime == .flatten)
        #expect(configuration.data.preprocessing == .caffe)
    }

    @Test(
        arguments: [
            (#"{"model": {"input": {"features": 6}}}"#, "model.cnn", "\"cnn\": null"),
            (#"{"model": {"input": {"features": 6, "rows": 4}, "cnn": null}}"#, "model.input.rows", "has no rows"),
            (#"{"model": {"input": {"standardize": true}, "cnn": null}}"#, "model.input.standardize", "features is not set"),
            ("{\"model\": {\(vectors)}, \"data\": {\"preprocessing\": \"caffe\"}}", "data.preprocessing", "is for pixels"),
            ("{\"model\": {\(vectors)}, \"augmentation\": {\"horizontal_flip\": 0.5}}", "augmentation.horizontal_flip", "changes pixels"),
            (
                "{\"model\": {\(vectors)}, \"augmentation\": {\"random_resized_crop\": {\"scale\": 0.5}}}",
                "augmentation.random_resized_crop.scale", "changes pixels"
            ),
            ("{\"model\": {\(vectors)}, \"stages\": [{\"trainable\": true}]}", "stages.0.trainable", "no CNN to freeze"),
            ("{\"model\": {\(vectors), \"pooling_over_time\": \"flatten\"}}", "model.pooling_over_time", "final state"),
            (#"{"model": {"cnn": 3}}"#, "model.cnn", "expected an object, or null, found 3"),
            (#"{"model": {"input": {"features": 0}, "cnn": null}}"#, "model.input.features", "an integer from 1 to 16384, or null"),
        ])
    func refusals(json: String, key: String, words: String) throws {
        let error = #expect(throws: VidclassError.self) { try load(json) }
        let message = error?.message ?? ""
        #expect(message.contains(":1:") && message.contains("\(key): ") && message.contains(words), "\(message)")
    }

    @Test func changesOfTheOrderGoWithVectors() throws {
        _ = try load("{\"model\": {\(Self.vectors)}, \"augmentation\": {\"frame_drop\": 0.1, \"time_reverse\": 0.5, \"mixup\": 0.2}}")
    }
}
