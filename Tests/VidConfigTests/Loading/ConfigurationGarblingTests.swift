import Testing
import VidConfig
import VidSystem

@Suite("Garbled configurations")
struct ConfigurationGarblingTests {
    @Test("A config file cut off at any byte is refused")
    func truncation() throws {
        let bytes = Array(try ProjectFiles.text("Configs/smoke.json").utf8)
        let end = try #require(bytes.lastIndex(of: UInt8(ascii: "}")))
        for count in 0...end {
            #expect(throws: VidclassError.self, "\(count) bytes were taken") {
                try RunConfiguration(json: Array(bytes[..<count]), source: "c.json")
            }
        }
    }

    @Test("A config file with any byte changed is refused in one line, or means something that can be written and read")
    func garbling() throws {
        let bytes = Array(try ProjectFiles.text("Configs/spectrogram.json").utf8)
        for index in bytes.indices {
            for byte in [0, 0x20, 0x22, 0x2C, 0x2D, 0x30, 0x39, 0x5C, 0x5D, 0x61, 0x7B, 0x7D, 0x80, 0xFF] as [UInt8] {
                var garbled = bytes
                garbled[index] = byte
                do {
                    let configuration = try RunConfiguration(json: garbled, source: "c.json")
                    #expect(try RunConfiguration(json: configuration.text, source: "c.json") == configuration)
                } catch {
                    #expect(!"\(error)".contains("\n"))
                    #expect(error.kind == .badData)
                    #expect("\(error)".wholeMatch(of: /c\.json:[0-9]+:[0-9]+: .+/) != nil, "\(error)")
                }
            }
        }
    }

    @Test(
        "Any key set to any kind of value is refused under its name, or loads",
        arguments: [
            "null", "true", "-1", "0", "0.5", "1e300", "9223372036854775807", "\"\"", "word", "[]", "[[]]", "[null]", "{}",
            "{\"type\":\"lstm\"}",
        ])
    func kinds(value: String) throws {
        for path in ConfigurationReference.keyPaths {
            let override = path.split(separator: ".").map { $0 == "N" ? "0" : String($0) }.joined(separator: ".") + "=" + value
            do {
                let configuration = try RunConfiguration(json: "{}", source: "c.json", overrides: [override])
                #expect(try RunConfiguration(json: configuration.text, source: "c.json") == configuration)
            } catch {
                let prefix = "--set \(override): "
                #expect("\(error)".hasPrefix(prefix), "\(error)")
                // The key's path, which is the override's or encloses it, then what is wrong.
                let key = "\(error)".dropFirst(prefix.count).prefix { $0 != ":" }
                #expect(!key.isEmpty && override.hasPrefix(key.split(separator: ".")[0]), "\(error)")
            }
        }
    }
}
