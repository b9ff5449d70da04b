//! Objects: classes that hold a handle.

use anyhow::Result;
use uniffi_bindgen::interface::{Argument, AsType, Callable, ComponentInterface, Constructor, Method, Object, Type};

use super::names::{self, camel, comment, native};
use super::types::{self, Lowered};

/// All of them.
pub(crate) fn render(interface: &ComponentInterface) -> Result<String> {
    let class = |object: &Object| Class { interface, object }.render();
    Ok(interface
        .object_definitions()
        .iter()
        .map(class)
        .collect::<Vec<_>>()
        .join("\n"))
}

struct Class<'a> {
    interface: &'a ComponentInterface,
    object: &'a Object,
}

impl Class<'_> {
    fn render(&self) -> String {
        let name = self.object.name();
        let head = comment(self.object.docstring(), "");
        let free = self.native(self.object.ffi_object_free().name());
        let clone = self.native(self.object.ffi_object_clone().name());
        let constructors: String = self
            .object
            .constructors()
            .into_iter()
            .map(|one| self.constructor(one))
            .collect();
        let methods: String = self.object.methods().into_iter().map(|one| self.method(one)).collect();
        format!(
            "{head}final class {name} extends _Object {{\n  \
             {name}._(super.handle) {{\n    _finalizer.attach(this, _handle, detach: this);\n  }}\n{constructors}\n  \
             static final _finalizer = Finalizer<int>(_free);\n\n  \
             static void _free(int handle) => _call((status) => {free}(handle, status));\n\n  \
             @override\n  void _release(int handle) {{\n    _finalizer.detach(this);\n    _free(handle);\n  }}\n\n  \
             int _clone() => _call((status) => {clone}(_open('{name}'), status));\n{methods}}}\n"
        )
    }

    fn constructor(&self, constructor: &Constructor) -> String {
        let call = Call::of(constructor, self);
        let class = self.object.name();
        let name = if constructor.is_primary_constructor() {
            String::new()
        } else {
            format!(".{}", camel(constructor.name()))
        };
        let docs = comment(constructor.docstring(), "  ");
        let (lowered, result) = (&call.lowered, call.sync(None));
        format!(
            "\n{docs}  factory {class}{name}({}) {{\n    _ensureLibrary();\n{lowered}    return {class}._({result});\n  }}\n",
            call.parameters,
        )
    }

    fn method(&self, method: &Method) -> String {
        let call = Call::of(method, self);
        let result = method.return_type().map_or("void".to_owned(), types::dart);
        let docs = comment(method.docstring(), "  ");
        let (name, parameters, lowered) = (camel(method.name()), &call.parameters, &call.lowered);
        if method.is_async() {
            let future = call.future(method, self);
            return format!(
                "\n{docs}  Future<{result}> {name}({parameters}) async {{\n{lowered}    return {future};\n  }}\n"
            );
        }
        let value = call.sync(Some("_clone()"));
        let value = method.return_type().map_or(value.clone(), |of| types::lift(of, &value));
        let keyword = if method.return_type().is_some() { "return " } else { "" };
        format!("\n{docs}  {result} {name}({parameters}) {{\n{lowered}    {keyword}{value};\n  }}\n")
    }

    fn native(&self, symbol: &str) -> String {
        native(symbol, self.interface.crate_name())
    }
}

/// The parts of a call.
struct Call {
    native: String,
    /// As they are declared.
    parameters: String,
    /// Statements: what can throw, before anything is taken from Rust.
    lowered: String,
    /// As they are handed to the native function.
    arguments: Vec<String>,
    /// `error: …, `, if it throws.
    error: String,
}

impl Call {
    fn of(callable: &impl Callable, class: &Class<'_>) -> Self {
        let arguments = callable.arguments();
        let (lowered, handed): (Vec<_>, Vec<_>) = arguments.iter().map(|argument| lower(argument)).unzip();
        let error = callable
            .throws_type()
            .map(|error| format!("error: {}, ", types::reader(error)));
        Self {
            native: class.native(callable.ffi_func().name()),
            parameters: parameters(&arguments),
            lowered: lowered.concat(),
            arguments: handed,
            error: error.unwrap_or_default(),
        }
    }

    fn sync(&self, receiver: Option<&str>) -> String {
        let receiver = receiver.map(str::to_owned);
        let status = ["status".to_owned()];
        let arguments: Vec<String> = receiver
            .into_iter()
            .chain(self.arguments.clone())
            .chain(status)
            .collect();
        format!(
            "_call({}(status) => {}({}))",
            self.error,
            self.native,
            arguments.join(", ")
        )
    }

    fn future(&self, method: &Method, class: &Class<'_>) -> String {
        let arguments: Vec<String> = std::iter::once("_clone()".to_owned())
            .chain(self.arguments.clone())
            .collect();
        let interface = class.interface;
        let poll = class.native(&method.ffi_rust_future_poll(interface));
        let complete = class.native(&method.ffi_rust_future_complete(interface));
        let free = class.native(&method.ffi_rust_future_free(interface));
        let lift = method.return_type().map_or("it".to_owned(), |of| types::lift(of, "it"));
        let (native, error) = (&self.native, &self.error);
        format!(
            "_await({error}{native}({}), {poll}, {complete}, {free}, (it) => {lift})",
            arguments.join(", ")
        )
    }
}

/// The statement that checks and encodes an argument, and what is then handed over.
fn lower(argument: &Argument) -> (String, String) {
    let name = names::argument(argument.name());
    match types::lower(&argument.as_type(), &name) {
        Lowered::Plain(value) => (format!("    final {name}_ = {value};\n"), format!("{name}_")),
        Lowered::Buffer(bytes) => (format!("    final {name}_ = {bytes};\n"), format!("_buffer({name}_)")),
    }
}

/// What has a default has a name.
fn parameters(arguments: &[&Argument]) -> String {
    let declared = |argument: &&Argument| {
        let (of, name) = (argument.as_type(), names::argument(argument.name()));
        match (argument.default_value(), &of) {
            (Some(_), Type::Boolean) => format!("bool {name} = false"),
            _ => format!("{} {name}", types::dart(&of)),
        }
    };
    let (named, required): (Vec<&Argument>, Vec<&Argument>) = arguments
        .iter()
        .copied()
        .partition(|argument| argument.default_value().is_some());
    let required: Vec<String> = required.iter().map(declared).collect();
    let named: Vec<String> = named.iter().map(declared).collect();
    let named = if named.is_empty() {
        None
    } else {
        Some(format!("{{{}}}", named.join(", ")))
    };
    required.into_iter().chain(named).collect::<Vec<_>>().join(", ")
}
