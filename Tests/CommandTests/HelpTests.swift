import Testing
import VidConfig
import VidReport
import VidSystem
import VidTestSupport

/// The help of every command, and the completions.
@Suite struct HelpTests {
    /// Every command's words, without `help` itself.
    static let commands: [[String]] = {
        func walk(_ command: JSONNode?, _ words: [String]) -> [[String]] {
            [words]
                + (command?["subcommands"]?.arrayElements ?? []).flatMap { child -> [[String]] in
                    let name = child["commandName"]?.stringValue ?? "?"
                    return name == "help" || child["shouldDisplay"]?.boolValue == false ? [] : walk(child, words + [name])
                }
        }
        guard let result = try? TestFolder().run("--experimental-dump-help"),
            let document = try? JSONParser.parse(Array(result.output.utf8))
        else { return [] }
        return walk(document["command"], [])
    }()

    @Test func allAreThere() { #expect(HelpTests.commands.count >= 20) }

    @Test(arguments: commands) func helpHasAnExampleAndFits(words: [String]) throws {
        let folder = try TestFolder()
        let result = try CommandLineTool.run(words + ["--help"], in: folder.path, environment: ["COLUMNS": "80"])
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n").map(String.init)
        let example = (["vidclass"] + words).joined(separator: " ") + " "
        #expect(
            lines.contains { line in
                let text = String(line.drop { $0 == " " }) + " "
                return line.hasPrefix("  ") && (text.hasPrefix(example) || text.contains("| " + example))
            }, "no example in \(result.output)")
        #expect(lines.allSatisfy { $0.columns <= 80 }, "\(lines.filter { $0.columns > 80 })")
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completionsAreGenerated(shell: String) throws {
        let folder = try TestFolder()
        let result = try folder.run("--generate-completion-script", shell)
        #expect(result.status == 0)
        #expect(result.output.contains("training.epochs="))
    }
}
