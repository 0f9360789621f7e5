/** Where the demo company's customers live, with names as they are really written there. Invented people; no name stands for a person. */
export interface Region {
  country: string
  weight: number
  language: string
  timeZone: string
  phonePrefix: string
  cities: readonly (readonly [city: string, postcode: string])[]
  streets: readonly string[]
  women: readonly string[]
  men: readonly string[]
  families: readonly string[]
}

export const regions: readonly Region[] = [
  {
    country: 'DE',
    weight: 38,
    language: 'de',
    timeZone: 'Europe/Berlin',
    phonePrefix: '+4915',
    cities: [
      ['Berlin', '10115'],
      ['Köln', '50667'],
      ['München', '80331'],
      ['Gießen', '35390'],
      ['Lübeck', '23552'],
      ['Görlitz', '02826'],
    ],
    streets: ['Königsallee', 'Am Bühl', 'Lindenstraße', 'Große Gasse', 'Bahnhofstraße', 'Ährenweg'],
    women: ['Ursula', 'Jördis', 'Käthe', 'Anna', 'Sabine', 'Leonie', 'Zoë', 'Margarete', 'Heike', 'Ayşe'],
    men: ['Jürgen', 'Björn', 'Götz', 'Friedrich', 'Lukas', 'Maximilian', 'Ömer', 'Heinz', 'Stefan', 'Tobias'],
    families: [
      'Müller',
      'Groß',
      'Schäfer',
      'von der Heide',
      'Yıldız',
      'Weiß',
      'Krüger',
      'Lehmann',
      'Böhm',
      'Schmidt-Rößler',
      'Fischer',
      'Wagner',
    ],
  },
  {
    country: 'SE',
    weight: 18,
    language: 'sv',
    timeZone: 'Europe/Stockholm',
    phonePrefix: '+4670',
    cities: [
      ['Malmö', '21119'],
      ['Göteborg', '41103'],
      ['Åre', '83013'],
      ['Stockholm', '11120'],
      ['Örebro', '70210'],
    ],
    streets: ['Storgatan', 'Åvägen', 'Södra Förstadsgatan', 'Björkvägen', 'Ängsstigen'],
    women: ['Åsa', 'Görel', 'Ebba', 'Maj-Britt', 'Linnéa', 'Siv', 'Malin', 'Elin'],
    men: ['Östen', 'Åke', 'Karl-Johan', 'Nils', 'Måns', 'Oskar', 'Torbjörn', 'Emil'],
    families: ['Åhl', 'Lindqvist', 'Sjöström', 'af Klercker', 'Öberg', 'Nilsson', 'Hägglund', 'Bergström', 'Svensson'],
  },
  {
    country: 'FR',
    weight: 14,
    language: 'fr',
    timeZone: 'Europe/Paris',
    phonePrefix: '+336',
    cities: [
      ['Paris', '75011'],
      ['Nîmes', '30000'],
      ['Besançon', '25000'],
      ["L'Haÿ-les-Roses", '94240'],
    ],
    streets: ["Rue de l'Église", 'Allée des Chênes', 'Boulevard Voltaire', 'Place aux Herbes'],
    women: ['Élodie', 'Chloé', 'Anaïs', 'Marie-Noëlle', 'Françoise', 'Inès', 'Camille'],
    men: ['François', 'Loïc', 'Jérôme', 'Noël', 'Jean-Loup', 'Théo', 'Mehdi'],
    families: ["D'Aramitz", 'Lefèvre', 'Garçon', "L'Hôpital", 'Benoît', 'Dupré', 'Nguyễn', 'Moreau'],
  },
  {
    country: 'PL',
    weight: 10,
    language: 'pl',
    timeZone: 'Europe/Warsaw',
    phonePrefix: '+4860',
    cities: [
      ['Łódź', '90-001'],
      ['Kraków', '30-001'],
      ['Wrocław', '50-001'],
      ['Gdańsk', '80-001'],
    ],
    streets: ['ul. Żwirki', 'ul. Świętego Marcina', 'al. Niepodległości', 'ul. Łąkowa'],
    women: ['Małgorzata', 'Grażyna', 'Zofia', 'Agnieszka', 'Żaneta', 'Katarzyna'],
    men: ['Łukasz', 'Sławomir', 'Wojciech', 'Zdzisław', 'Paweł', 'Kacper'],
    families: ['Wiśniewska', 'Dąbrowski', 'Źrebiec', 'Kowalczyk', 'Łoś', 'Szczęsny', 'Zając'],
  },
  {
    country: 'BG',
    weight: 7,
    language: 'bg',
    timeZone: 'Europe/Sofia',
    phonePrefix: '+35988',
    cities: [
      ['София', '1000'],
      ['Пловдив', '4000'],
      ['Варна', '9000'],
    ],
    streets: ['ул. Шипка', 'бул. Витоша', 'ул. Оборище'],
    women: ['Мария', 'Елена', 'Йорданка', 'Цветелина', 'Ралица'],
    men: ['Георги', 'Димитър', 'Ивайло', 'Стоян', 'Николай'],
    families: ['Иванов', 'Стоянова', 'Петрова', 'Жеков', 'Щерев', 'Димитрова'],
  },
  {
    country: 'IE',
    weight: 8,
    language: 'en',
    timeZone: 'Europe/Dublin',
    phonePrefix: '+35385',
    cities: [
      ['Dún Laoghaire', 'A96 X2K1'],
      ['Dublin', 'D02 AF30'],
      ['Cork', 'T12 K8AF'],
    ],
    streets: ["St. Stephen's Green", "O'Connell Street", 'Seán Moore Road'],
    women: ['Siobhán', 'Aoife', 'Niamh', 'Gráinne', 'Sinéad', 'Mary'],
    men: ['Seán', 'Pádraig', 'Oisín', 'Conor', 'Diarmuid', 'Robert'],
    families: ["O'Brien", "O'Shaughnessy", 'Ó Súilleabháin', 'McDonagh', 'Murphy', "D'Arcy"],
  },
  {
    country: 'NZ',
    weight: 3,
    language: 'en',
    timeZone: 'Pacific/Chatham',
    phonePrefix: '+6421',
    cities: [
      ['Waitangi', '8016'],
      ['Whangārei', '0110'],
    ],
    streets: ['Waitangi Wharf Owenga Road', 'Te Matau Rd'],
    women: ['Aroha', 'Kiri', 'Ngaire', 'Anahera'],
    men: ['Tāne', 'Wiremu', 'Rangi', 'Māui'],
    families: ['Tūhoe', 'Te Kanawa', 'Whaanga', 'Solomon'],
  },
  {
    country: 'KI',
    weight: 2,
    language: 'en',
    timeZone: 'Pacific/Kiritimati',
    phonePrefix: '+68673',
    cities: [
      ['Tabwakea', 'KI0101'],
      ['London', 'KI0102'],
    ],
    streets: ['Main Road', 'Ronton Causeway'],
    women: ['Teretia', 'Mereana', 'Nei Tekea'],
    men: ['Ioane', 'Teburoro', 'Anote'],
    families: ['Tong', 'Tito', 'Maamau', 'Tabai'],
  },
]

/** Short forms that people really use, as the old CRM has them. */
export const nicknames: Readonly<Record<string, string>> = {
  Ursula: 'Uschi',
  Margarete: 'Grete',
  Friedrich: 'Fritz',
  Maximilian: 'Max',
  Tobias: 'Tobi',
  Stefan: 'Steff',
  Leonie: 'Leo',
  'Karl-Johan': 'Kalle',
  Oskar: 'Ogge',
  'Maj-Britt': 'Majsan',
  Françoise: 'Fanfan',
  François: 'Fanch',
  Élodie: 'Élo',
  Małgorzata: 'Gosia',
  Katarzyna: 'Kasia',
  Agnieszka: 'Aga',
  Wojciech: 'Wojtek',
  Zofia: 'Zosia',
  Мария: 'Мими',
  Георги: 'Гошо',
  Димитър: 'Митко',
  Siobhán: 'Shiv',
  Robert: 'Bob',
  Mary: 'Molly',
  Pádraig: 'Paddy',
  Wiremu: 'Wi',
  Seán: 'Johnny',
  Николай: 'Кольо',
}

/** Letters as mail addresses spell them. */
export function asciiLocalPart(text: string): string {
  const special: Readonly<Record<string, string>> = {
    ß: 'ss',
    ä: 'ae',
    ö: 'oe',
    ü: 'ue',
    ł: 'l',
    ø: 'o',
    ı: 'i',
    ð: 'd',
  }
  const cyrillic = 'абвгдежзийклмнопрстуфхцчшщъьюя'
  const latin = [
    'a',
    'b',
    'v',
    'g',
    'd',
    'e',
    'zh',
    'z',
    'i',
    'y',
    'k',
    'l',
    'm',
    'n',
    'o',
    'p',
    'r',
    's',
    't',
    'u',
    'f',
    'h',
    'ts',
    'ch',
    'sh',
    'sht',
    'a',
    'y',
    'yu',
    'ya',
  ]
  return Array.from(text.toLowerCase())
    .map((letter) => special[letter] ?? latin[cyrillic.indexOf(letter)] ?? letter)
    .join('')
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '')
}
