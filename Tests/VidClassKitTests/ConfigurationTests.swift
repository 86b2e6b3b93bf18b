import Testing
import VidClassKit

struct ConfigurationTests {
    @Test func settingsReplaceDefaults() throws {
        let configuration = try Configuration()
            .setting("data.path", to: "12")
            .setting("training.epochs", to: 3)
            .setting("optimizer.learning_rate", to: 0.5)
            .setting("training.shuffle", to: false)
            .setting("model.input", to: ["frames": 8, "rows": 32, "columns": 48])
        // A string stays one, whatever it looks like.
        #expect(configuration.data == "12")
        #expect(configuration.input == InputShape(frames: 8, rows: 32, columns: 48))
        #expect("\(configuration.input)" == "(8, 3, 32, 48)")
        #expect(try Configuration(json: configuration.json).json == configuration.json)
        for text in ["\"epochs\": 3", "\"learning_rate\": 0.5", "\"shuffle\": false"] { #expect(configuration.json.contains(text)) }
        #expect(try Configuration(json: "{}", settings: ["training.epochs=3"]).json.contains("\"epochs\": 3"))
    }

    @Test func vectorsHaveFeatures() throws {
        let configuration = try Configuration(json: #"{"model": {"input": {"frames": 30, "features": 66}, "cnn": null}}"#)
        #expect(configuration.input == InputShape(frames: 30, features: 66))
        #expect(configuration.input.isVectors)
    }

    @Test func faultsAreNamed() async throws {
        let unknown = await error { _ = try Configuration().setting("training.epoch", to: 3) }
        #expect(unknown?.code == .badData)
        #expect(unknown?.message.contains("epochs") == true)
        #expect(await error { _ = try Configuration().setting("training.epochs", to: "many") }?.code == .badData)
        #expect(await error { _ = try Configuration(json: "{") }?.code == .badData)
        #expect(await error { _ = try Configuration(contentsOf: "/nowhere.json") }?.code == .missingInput)
        #expect(unknown?.errorDescription == unknown?.message)
    }
}
